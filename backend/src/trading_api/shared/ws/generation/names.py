"""How an alias names its route: `BrokerConnectionWsRouter` is `broker-connection`, in `broker_connection.py`."""

import keyword

SUFFIX = "WsRouter"


def route_name(alias: str) -> str:
    """The name on the wire. Raises ValueError saying what is wrong with the alias, and what to write."""
    if not alias.endswith(SUFFIX):
        raise ValueError(f"the alias {alias!r} does not end in {SUFFIX}; rename it, as in {alias or 'Orders'}{SUFFIX}")
    stem = alias.removesuffix(SUFFIX)
    if not (stem.isascii() and stem.isalnum() and stem[0].isupper()):
        raise ValueError(f"the alias {alias!r} gives no route name; write it in CapWords, as in Orders{SUFFIX}")
    name = "-".join(_words(stem)).lower()
    if keyword.iskeyword(name):
        raise ValueError(f"the route {name!r} is a Python keyword; choose another name")
    return name


def file_stem(route: str) -> str:
    """The name of the route's generated file, without `.py`."""
    return route.replace("-", "_")


def _words(stem: str) -> list[str]:
    """The words of a name in CapWords: an acronym is one word (`OHLCBars`: OHLC, Bars), digits end one."""
    starts = [at for at in range(len(stem)) if _starts_word(stem, at)]
    return [stem[start:end] for start, end in zip(starts, [*starts[1:], len(stem)], strict=True)]


def _starts_word(stem: str, at: int) -> bool:
    if at == 0:
        return True
    before_lower = stem[at + 1 : at + 2].islower()
    return stem[at].isupper() and (before_lower or not stem[at - 1].isupper())
