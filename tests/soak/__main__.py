"""`make soak`: trade for minutes while processes are killed and paused at random; 0: nothing was lost or repeated.

python -m tests.soak [--seconds N] [--seed N]
"""

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support.broker_soak import deploy, problems_of, soak  # noqa: E402 (the path comes first)
from support.project import project_in  # noqa: E402


def main() -> int:
    """Run one soak and tell what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="how long to disturb (default: 300)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the disturbances")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, project_in(Path(folder) / "project") as project:
        deploy(project)
        found = asyncio.run(soak(project, arguments.seconds, arguments.seed, tell=True))
        problems = problems_of(project, found)
        project.down()
    print(f"{found.disturbances} disturbances, {len(found.load.placed)} orders placed, {len(found.told)} updates told")
    for problem in problems:
        print(problem)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
