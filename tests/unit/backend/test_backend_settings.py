"""ENABLED_MODULES and the other variables: what they mean, and that every mistake is named at once."""

import pytest

from trading_api.settings import ModuleChoice, Settings, SettingsError, read_settings

KNOWN = {"broker": ("v1", "v2"), "core": ("v1",), "order_book": ("v1",)}


def problems_of(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read_settings(environ, KNOWN)
    return caught.value.problems


def test_M02_unknown_module_names_the_known_ones_and_the_nearest() -> None:
    (problem,) = problems_of(ENABLED_MODULES="brokr")
    assert "'brokr'" in problem
    assert "did you mean 'broker'?" in problem
    assert "broker, core, order_book" in problem


def test_M02_unknown_version_names_the_known_ones() -> None:
    (problem,) = problems_of(ENABLED_MODULES="broker:v3")
    assert "'broker:v3'" in problem
    assert problem.endswith("known: v1, v2")


def test_M02_empty_version_is_a_problem_and_not_all_versions() -> None:
    assert "'broker:'" in problems_of(ENABLED_MODULES="broker:")[0]


def test_M02_every_problem_is_named_at_once() -> None:
    problems = problems_of(
        ENABLED_MODULES="nope,broker:v9",
        TRADING_API_BASE_URL="api v1",
        TRADING_STORE_URL="trading.db",
        TRADING_LOG_LEVEL="loud",
    )
    assert [problem.partition(":")[0] for problem in problems] == [
        "ENABLED_MODULES",
        "ENABLED_MODULES",
        "TRADING_API_BASE_URL",
        "TRADING_STORE_URL",
        "TRADING_LOG_LEVEL",
    ]


def test_M02_a_problem_with_the_store_url_does_not_repeat_it() -> None:
    assert "hunter2" not in problems_of(TRADING_STORE_URL="user:hunter2@host")[0]
    assert "hunter2" not in repr(Settings(store_url="postgresql://user:hunter2@host"))


@pytest.mark.parametrize("base_url", ["api", "/api?x=1", "/a b", "/../x y", "/{version}", "//api"])
def test_M02_base_url_that_is_no_path_is_refused(base_url: str) -> None:
    assert "TRADING_API_BASE_URL" in problems_of(TRADING_API_BASE_URL=base_url)[0]


@pytest.mark.parametrize("environ", [{}, {"ENABLED_MODULES": "", "TRADING_API_BASE_URL": "", "TRADING_LOG_LEVEL": ""}])
def test_M02_empty_or_unset_means_the_defaults(environ: dict[str, str]) -> None:
    assert read_settings(environ, KNOWN) == Settings((), "/api", "sqlite:///.local/data/trading.db", "info")


def test_M02_modules_with_and_without_versions() -> None:
    settings = read_settings({"ENABLED_MODULES": " broker:v1 , order_book,"}, KNOWN)
    assert settings.enabled_modules == (ModuleChoice("broker", "v1"), ModuleChoice("order_book"))


def test_M02_the_root_can_be_the_base_and_a_final_slash_does_not_matter() -> None:
    assert read_settings({"TRADING_API_BASE_URL": "/"}, KNOWN).base_url == ""
    assert read_settings({"TRADING_API_BASE_URL": "/trade/api/"}, KNOWN).base_url == "/trade/api"


@pytest.mark.parametrize("text", ["1MB", "-1", "0", "1.5", "٣", "9" * 40])
def test_A08_a_body_limit_that_is_no_number_of_bytes_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="TRADING_BODY_LIMIT"):
        read_settings({"TRADING_BODY_LIMIT": text}, KNOWN)


def test_A08_the_body_limit_of_the_deployment_is_taken_over() -> None:
    assert read_settings({"TRADING_BODY_LIMIT": "2048"}, KNOWN).body_limit == 2048
