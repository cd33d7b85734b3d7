"""Escaping for nginx.conf."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.renderers import nginx_text
from deploy.renderers.nginx_text import UnrepresentableError


def _read_back(parameter: str) -> str:
    """nginx's rule for a quoted parameter: a backslash takes the next character as it is."""
    if not parameter.startswith('"'):
        return parameter
    assert parameter.endswith('"')
    text, result = iter(parameter[1:-1]), ""
    for character in text:
        result += next(text) if character == "\\" else character
        assert character != '"', "an unescaped quote ends the parameter"
    return result


@given(st.text(alphabet=st.characters(blacklist_categories=("Cc", "Cs")), min_size=1))
def test_N01_any_text_survives_quoting(text: str) -> None:
    assert _read_back(nginx_text.quote(text)) == text


@pytest.mark.parametrize("text", ["a\nb", "a\0b", "\x1b[31m"])
def test_N01_control_characters_are_refused(text: str) -> None:
    with pytest.raises(UnrepresentableError, match="control character"):
        nginx_text.quote(text)


def test_N01_a_dollar_is_refused_where_it_would_be_a_variable() -> None:
    with pytest.raises(UnrepresentableError, match="variable"):
        nginx_text.literal("/srv/$HOME/log")


@pytest.mark.parametrize("word", ["default", "hostnames", "include", "volatile"])
def test_N03_words_of_map_are_taken_literally(word: str) -> None:
    assert nginx_text.map_key(word) == f"\\{word}"
    assert nginx_text.map_key("orders") == "orders"
