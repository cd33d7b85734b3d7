"""Puts `tests/` on the path, so that every test can import `support.<module>`."""

import gc
import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))
# Parallel workers set it; the programs under test would fit their tables into it.
os.environ.pop("COLUMNS", None)
# The suite starts hundreds of processes; none of them needs to compile what another one has compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Machines are busy at times: how long an example takes says nothing about what it proves. The same commit has the same
# examples; who looks for new ones takes `search`.
_BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", _BUSY, max_examples=200)
settings.register_profile("thorough", _BUSY, derandomize=True)
settings.register_profile("whole", _BUSY, derandomize=True, max_examples=30)
settings.register_profile("quick", _BUSY, derandomize=True, max_examples=20)
settings.load_profile("whole")


def pytest_collection_finish() -> None:
    """Thousands of tests and all that they import stay to the end: the collector need not look at them again."""
    gc.collect()
    gc.freeze()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two workers a core for the whole suite, whose tests mostly wait for processes; one for the quick ones."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if "not slow" in config.option.markexpr else 2 * cores
