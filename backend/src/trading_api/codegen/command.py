"""The verb `generate`: bring generated files up to date, or say which are not."""

import sys
from pathlib import Path

from trading_api.codegen.manifest import render_manifest
from trading_api.shared.atomic import holds, replace_if_different
from trading_api.shared.errors import ModuleError
from trading_api.shared.registry import PACKAGE_FOLDER, installed_modules

MANIFEST = PACKAGE_FOLDER / "manifest.json"


def generate(*, check: bool, path: Path = MANIFEST) -> int:
    """Write what differs, or with `check` only compare. Returns the exit code: 0 current, 1 stale or failed."""
    try:
        text = render_manifest(installed_modules())
    except ModuleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if check:
        return _report_check(path, current=holds(path, text))
    print(f"{path}: {'written' if replace_if_different(path, text) else 'unchanged'}")
    return 0


def _report_check(path: Path, *, current: bool) -> int:
    if current:
        print(f"{path}: up to date")
        return 0
    print(f"error: {path} is stale; run: python -m trading_api generate", file=sys.stderr)
    return 1
