"""Puts `tests/` on the path, so that every test can import `support.<module>`."""

import os
import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
# Parallel workers set it; the programs under test would fit their tables into it.
os.environ.pop("COLUMNS", None)

# Machines are busy at times: how long an example takes says nothing about what it proves.
settings.register_profile("whole", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=20)
settings.load_profile("whole")
