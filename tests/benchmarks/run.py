"""`make bench`: measures, prints, and writes docs/benchmarks.md.

python -m tests.benchmarks.run [NAME …] [--runs N] [--cycles N] [--json]
"""

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from benchmarks import (  # noqa: E402 (the path comes first)
    aggregation,
    bus,
    fanout,
    gateway,
    generation,
    history,
    importing,
    lifecycle,
    matching,
    memory,
    orders,
    quotes,
    recovery,
    search,
    watch,
)
from benchmarks.result import Result  # noqa: E402
from support.project import Project, project_in  # noqa: E402

Measure = Callable[[Project, int], Iterator[Result]]
MEASURES: dict[str, Measure] = {
    "lifecycle": lifecycle.run,
    "watch": watch.run,
    "gateway": gateway.run,
    "memory": memory.run,
    "generation": generation.run,
    "fanout": fanout.run,
    "bus": bus.run,
    "aggregation": aggregation.run,
    "importing": importing.run,
    "search": search.run,
    "history": history.run,
    "quotes": quotes.run,
    "orders": orders.run,
    "recovery": recovery.run,
    "matching": matching.run,
}
PAGE = ROOT / "docs" / "benchmarks.md"
START, END = "<!-- results: written by make bench -->", "<!-- end of results -->"


def main() -> int:
    """Run the chosen measures. 0: every promise kept; 1: not."""
    arguments = _arguments()
    results: list[Result] = []
    for name in arguments.names or [*MEASURES, "cycles"]:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="bench-") as folder, project_in(Path(folder) / "project") as project:
            measure = MEASURES.get(name)
            found = measure(project, arguments.runs) if measure else lifecycle.cycles(project, arguments.cycles)
            for result in found:
                results.append(result)
                if not arguments.json:
                    print(line(result), flush=True)
    if arguments.json:
        print(json.dumps([result.to_json() for result in results], indent=2))
    if not arguments.names:
        _write_page(results, arguments)
    return int(any(result.kept is False for result in results))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these (the page is then kept)")
    parser.add_argument("--runs", type=int, default=7, help="pairs per figure (default: 7)")
    parser.add_argument("--cycles", type=int, default=100, help="cycles of up and down (default: 100)")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def line(result: Result) -> str:
    """One result for a terminal."""
    spread = f"{min(result.values):.2f}-{max(result.values):.2f}" if len(result.values) > 1 else ""
    verdict = {True: "kept", False: "NOT KEPT", None: ""}[result.kept]
    return f"{result.name:<46} {result.median:>10.2f} {result.unit:<10} {spread:<18} {result.promise():<8} {verdict}"


def _write_page(results: list[Result], arguments: argparse.Namespace) -> None:
    rows = ["| figure | median | min to max | unit | promised |", "|---|---|---|---|---|"]
    for result in results:
        spread = f"{min(result.values):.2f} to {max(result.values):.2f}"
        name = f"{result.name} ({result.note})" if result.note else result.name
        rows.append(f"| {name} | {result.median:.2f} | {spread} | {result.unit} | {result.promise()} |")
    when = datetime.now(UTC).date().isoformat()
    machine = f"{platform.system()} {platform.machine()}, {_cores()} cores, Python {platform.python_version()}"
    command = f"`make bench` ({arguments.runs} pairs per figure), {when}, {machine}."
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n{command}\n\n" + "\n".join(rows) + f"\n{END}{after}", encoding="utf-8")


def _cores() -> int:
    import os

    return os.cpu_count() or 1


if __name__ == "__main__":
    sys.exit(main())
