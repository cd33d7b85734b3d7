"""The verb `new-module`: check, write whole, generate what follows, say what is next."""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from trading_api.codegen.new_module.checkout import Checkout
from trading_api.codegen.new_module.folders import place_folders
from trading_api.codegen.new_module.render import render
from trading_api.codegen.new_module.report import CONFIG, Written
from trading_api.codegen.new_module.request import NewModule, problems
from trading_api.shared.registry import PACKAGE_FOLDER, installed_modules

FAILED = 1
WRONG_USAGE = 2
_NOT_GENERATED = "the module was written, but not what follows from it: fix the above, then run: make generate"


def main(argv: Sequence[str]) -> int:
    """Run the verb. Returns the exit code: 0 done, 1 failed, 2 wrong usage."""
    options = _parser().parse_args(argv)
    module = NewModule(options.name, options.version, options.ws)
    wrong = problems(module, installed_modules())
    if wrong:
        return _refuse(wrong, WRONG_USAGE, as_json=options.json)
    checkout = Checkout.around(PACKAGE_FOLDER)
    if checkout is None:
        said = f"{PACKAGE_FOLDER} is not in a checkout of the source, so there is no place for tests"
        return _refuse([said], FAILED, as_json=options.json)
    return _create(module, checkout, as_json=options.json)


def _create(module: NewModule, checkout: Checkout, *, as_json: bool) -> int:
    taken = checkout.taken(module)
    if taken:
        said = [f"{checkout.shown(path)} exists; nothing was written" for path in taken]
        return _refuse(said, FAILED, as_json=as_json)
    folders = {folder: render(module, part) for part, folder in checkout.parts(module).items()}
    try:
        place_folders(folders)
    except OSError as error:
        place = checkout.shown(Path(error.filename2 or error.filename or checkout.package))
        return _refuse([f"{place}: {error.strerror or error}; nothing was written"], FAILED, as_json=as_json)
    generated = _generate(checkout.package)
    written = Written(
        module,
        files=tuple(checkout.shown(folder / name) for folder, files in folders.items() for name in files),
        tests=checkout.shown(checkout.parts(module)["tests"]),
        config=_read_config(checkout),
    )
    return _tell(written, generated=generated, as_json=as_json)


def _tell(written: Written, *, generated: bool, as_json: bool) -> int:
    """Say what was written, and whether what follows from it was too; the exit code."""
    errors = [] if generated else [_NOT_GENERATED]
    if as_json:
        print(json.dumps({"ok": generated, **written.document(), "generated": generated, "errors": errors}))
        return FAILED if errors else 0
    print(written.text())
    return _refuse(errors, FAILED, as_json=False) if errors else 0


def _generate(package: Path) -> bool:
    """Bring routers, specs, clients and manifest up to date in a process of its own, which sees the new module."""
    command = [sys.executable, "-m", "trading_api", "generate"]
    done = subprocess.run(command, cwd=package.parent, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout)
    return done.returncode == 0


def _read_config(checkout: Checkout) -> str:
    path = checkout.root / CONFIG
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _refuse(reasons: Sequence[str], code: int, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"ok": False, "errors": list(reasons)}))
        return code
    for reason in reasons:
        print(f"error: {reason}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trading_api new-module", description="Write a small module to start from."
    )
    parser.add_argument("name", metavar="NAME", help="as its folder is called: order_book")
    parser.add_argument("--ws", action="store_true", help="with a WebSocket route")
    parser.add_argument("--version", default="v1", help="its first version (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="tell what was written as JSON")
    return parser
