"""Puts `tests/` on the path, so that every test can import `support.<module>`."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# Machines are busy at times: how long an example takes says nothing about what it proves.
settings.register_profile("whole", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=20)
settings.load_profile("whole")
