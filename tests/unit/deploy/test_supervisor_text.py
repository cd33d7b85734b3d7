"""Escaping for supervisord.conf, judged by supervisor's own parser."""

import configparser
import shlex
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from supervisor.datatypes import dict_of_key_value_pairs
from supervisor.options import UnhosedConfigParser, expand

from deploy.renderers import supervisor_text
from deploy.renderers.supervisor_text import UnrepresentableError

AWKWARD = st.text(alphabet=string.ascii_letters + " %;#'\"\\$=,:()[]{}é漢/~`!?*&|<>", min_size=1, max_size=40)


def _read_back(value: str) -> str:
    """What supervisor makes of an option's text."""
    parser = UnhosedConfigParser()
    parser.read_string(f"[program:x]\noption = {value}\n")
    return str(expand(parser.get("program:x", "option"), {"here": "/any/where", "ENV_HOME": "/root"}, "option"))


@given(AWKWARD)
def test_P01_any_text_survives_as_an_option(text: str) -> None:
    assert _read_back(supervisor_text.option(text)) == text


@given(AWKWARD)
def test_P01_any_text_survives_as_a_log_file_which_is_expanded_twice(text: str) -> None:
    once = _read_back(supervisor_text.log_file(text))
    assert expand(once, {"here": "/any/where"}, "stdout_logfile") == text


@given(st.lists(AWKWARD, min_size=1, max_size=5))
def test_P01_any_command_survives(argv: list[str]) -> None:
    assert shlex.split(_read_back(supervisor_text.command(tuple(argv)))) == argv


@given(st.dictionaries(st.sampled_from(["A", "B_1", "LONG_NAME"]), AWKWARD, min_size=1))
def test_P01_an_environment_survives_or_is_refused(values: dict[str, str]) -> None:
    pairs = tuple(sorted(values.items()))
    hopeless = any(v.strip("'\"") != v or ("'" in v and '"' in v) for v in values.values())
    if hopeless:
        with pytest.raises(UnrepresentableError):
            supervisor_text.environment(pairs)
    else:
        assert dict_of_key_value_pairs(_read_back(supervisor_text.environment(pairs))) == values


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b", "tab\tbed", "del\x7f"])
def test_P01_control_characters_are_refused(text: str) -> None:
    with pytest.raises(UnrepresentableError, match="control character"):
        supervisor_text.option(text)


def test_P01_a_plain_parser_would_have_cut_the_line() -> None:
    """The trap that the escaping is for: without it the rest of the line is a comment."""
    parser = UnhosedConfigParser()
    parser.read_string("[program:x]\noption = /srv/a ;b\n")
    assert parser.get("program:x", "option") == "/srv/a"
    assert isinstance(parser, configparser.RawConfigParser)


def test_no_python_file_stands_where_it_would_shadow_a_package() -> None:
    root = Path(__file__).parents[3]
    for folder in ("supervisor", "nginx"):
        assert (root / folder).is_dir()
        assert not list((root / folder).rglob("*.py"))
