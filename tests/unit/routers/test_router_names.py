"""How aliases name routes and files (W01)."""

import keyword
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.shared.ws.generation.names import file_stem, route_name

WORDS = st.lists(
    st.tuples(st.sampled_from(string.ascii_lowercase), st.text(string.ascii_lowercase + string.digits, min_size=1)),
    min_size=1,
    max_size=5,
).map(lambda words: [first + rest for first, rest in words])


@pytest.mark.parametrize(
    ("alias", "route", "stem"),
    [
        ("BarsWsRouter", "bars", "bars"),
        ("BrokerConnectionWsRouter", "broker-connection", "broker_connection"),
        ("OHLCBarsWsRouter", "ohlc-bars", "ohlc_bars"),
        ("BarsOHLCWsRouter", "bars-ohlc", "bars_ohlc"),
        ("Level2BookWsRouter", "level2-book", "level2_book"),
        ("L2WsRouter", "l2", "l2"),
        ("PnLWsRouter", "pn-l", "pn_l"),
        ("XWsRouter", "x", "x"),
        ("WsRouterWsRouter", "ws-router", "ws_router"),
        ("TypeWsRouter", "type", "type"),
    ],
)
def test_W01_a_route_is_the_alias_in_kebab_case(alias: str, route: str, stem: str) -> None:
    assert route_name(alias) == route
    assert file_stem(route) == stem


@pytest.mark.parametrize(
    "alias", ["WsRouter", "2FastWsRouter", "_BarsWsRouter", "barsWsRouter", "Bars", "", "ÉWsRouter"]
)
def test_W01_other_names_are_refused_with_an_example(alias: str) -> None:
    with pytest.raises(ValueError, match=r"; (write it in CapWords|rename it), as in \w+WsRouter"):
        route_name(alias)


@pytest.mark.parametrize("word", [word for word in keyword.kwlist if word.islower()])
def test_W01_keywords_are_refused(word: str) -> None:
    with pytest.raises(ValueError, match="is a Python keyword; choose another name"):
        route_name(f"{word.capitalize()}WsRouter")


@given(WORDS)
def test_W01_words_survive_the_way_through_the_alias(words: list[str]) -> None:
    alias = "".join(word.capitalize() for word in words) + "WsRouter"
    if "-".join(words) in keyword.kwlist:
        with pytest.raises(ValueError):
            route_name(alias)
    else:
        assert route_name(alias) == "-".join(words)
        assert file_stem(route_name(alias)).isidentifier()


@given(st.from_regex(r"[A-Z][A-Za-z0-9]{0,20}", fullmatch=True))
def test_W01_every_name_in_capwords_gives_a_route_that_loses_no_letter(stem: str) -> None:
    if stem.lower() in keyword.kwlist:
        return
    route = route_name(f"{stem}WsRouter")
    assert route.replace("-", "") == stem.lower()
    assert not route.startswith("-")
    assert "--" not in route
