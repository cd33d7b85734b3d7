"""Which edits matter to which server (M04, M05)."""

from pathlib import PurePath

import pytest

from trading_api.server.reload.scope import GENERATED, Scope, is_source, models_among

BROKER = Scope(frozenset({"broker", "core"}), frozenset({"broker", "common.py"}))


@pytest.mark.parametrize(
    "path",
    [
        "modules/datafeed/service.py",
        "models/market/bar.py",
        "models/other.py",
        "codegen/manifest.py",
        "clients/__init__.py",
        "modules/broker/manifest.json",
        "modules/broker/notes.txt",
        "modules/broker/.#service.py",
        "modules/broker/__pycache__/service.cpython-311.py",
        "modules/broker/tests/test_it.py",
        "modules/broker/docs/conf.py",
        "shared/templates/x.py",
        "other/thing.py",
        *(f"modules/broker/ws/v1/{folder}/x.py" for folder in sorted(GENERATED)),
    ],
)
def test_M05_what_a_server_does_not_use_never_triggers_a_reload(path: str) -> None:
    assert not BROKER.covers(PurePath(path))


@pytest.mark.parametrize(
    "path",
    [
        "settings.py",
        "app_factory.py",
        "shared/module.py",
        "shared/edge/body_limit.py",
        "server/server.py",
        "modules/__init__.py",
        "modules/broker/__init__.py",
        "modules/broker/orders/matching.py",
        "modules/core/api/v1.py",
        "models/__init__.py",
        "models/common.py",
        "models/broker/brand_new.py",
    ],
)
def test_M04_what_a_server_uses_triggers_a_reload(path: str) -> None:
    assert BROKER.covers(PurePath(path))
    assert is_source(PurePath(path))


def test_M04_all_modules_include_those_to_come_and_unknown_models_count() -> None:
    everything = Scope()
    assert everything.covers(PurePath("modules/brand_new/__init__.py"))
    assert everything.covers(PurePath("models/market/bar.py"))
    assert not everything.covers(PurePath("codegen/manifest.py"))


def test_M04_used_models_follow_from_the_loaded_files() -> None:
    loaded = [PurePath(p) for p in ("models/common.py", "models/broker/account.py", "shared/x.py", "__main__.py")]
    assert models_among(loaded) == {"common.py", "broker"}
