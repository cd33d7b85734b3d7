"""Documentation is tested: what it names exists, and what exists is named."""

import json
import re
from pathlib import Path

import pytest
import yaml

from deploy import reference
from deploy.cli.arguments import build_parser
from deploy.schema import DeploymentConfig
from trading_api.models.market.quotes import MAX_SYMBOLS
from trading_api.shared.ws.errors import ERROR_CODES
from trading_api.shared.ws.limits import DEFAULT_LIMITS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("name", sorted(reference.PAGES))
def test_generated_reference_is_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") == reference.PAGES[
        name
    ](), "run: make generate"


def test_C01_every_key_of_the_shipped_configuration_is_in_the_reference() -> None:
    shipped = yaml.safe_load((ROOT / "dev-config.yaml").read_text(encoding="utf-8"))
    page = reference.config_page()
    for key in DeploymentConfig.model_fields:
        assert f"`{key}" in page
        assert key in shipped or f"# {key}:" in (ROOT / "dev-config.yaml").read_text(encoding="utf-8"), key


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_M07_make_targets_that_documents_name_exist_and_are_documented() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    documented = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    phony = {name for line in re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE) for name in line.split()}
    assert phony == documented, "every verb has a ## comment"
    for page in PAGES:
        for name in re.findall(r"\bmake ([a-z][a-z-]*)", _code(page)):
            assert name in documented, f"{page}: make {name}"


def _code(page: Path) -> str:
    """What stands as code: `make sure` in running text is no command."""
    blocks = re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", page.read_text(encoding="utf-8"), re.DOTALL)
    return "\n".join(block or inline for block, inline in blocks)


def test_P12_every_verb_is_in_the_reference_and_in_a_guide() -> None:
    verbs = set(re.findall(r"^## (.+)$", reference.cli_page(), re.MULTILINE))
    assert {"start", "stop", "status", "restart", "gen-nginx-conf", "gen-supervisor-conf", "plan", "logs"} <= verbs
    assert build_parser().prog == "backend-manager"


def test_W04_every_error_code_and_route_is_in_the_guide_to_streams() -> None:
    page = (ROOT / "docs" / "how-to" / "stream.md").read_text(encoding="utf-8")
    manifest = json.loads((ROOT / "backend/src/trading_api/manifest.json").read_text(encoding="utf-8"))
    routes = {
        route
        for name, module in manifest["modules"].items()
        # Those that ship: a module that somebody adds has docs of its own.
        if name in ("broker", "core", "datafeed")
        for version in module["versions"].values()
        for route in version["ws_routes"]
    }
    assert routes
    assert {word for word in (*ERROR_CODES, *routes) if f"`{word}`" not in page} == set()


def test_W04_the_guide_to_streams_tells_the_limits_that_hold() -> None:
    page = (ROOT / "docs" / "how-to" / "stream.md").read_text(encoding="utf-8")
    told = (
        f"{DEFAULT_LIMITS.subscriptions} per connection, {DEFAULT_LIMITS.held_keys} keys in all",
        f"or {DEFAULT_LIMITS.held_bytes // 1024} KiB of topics",
        f"A topic has at most {DEFAULT_LIMITS.topic_bytes // 1024} KiB",
        f"at most {MAX_SYMBOLS} different symbols",
        f"More than {DEFAULT_LIMITS.messages_per_s:g} messages a second, after a burst of {DEFAULT_LIMITS.burst}",
        f"more than {DEFAULT_LIMITS.frame_bytes // 1024} KiB",
        f"{DEFAULT_LIMITS.queue} at most and of {DEFAULT_LIMITS.queue_bytes // 1024**2} MiB",
        f"at most {DEFAULT_LIMITS.id_length} characters",
    )
    assert [text for text in told if text not in page] == []
