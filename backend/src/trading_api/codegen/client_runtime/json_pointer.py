"""JSON pointers (RFC 6901): where in a value another one is."""


def pointed(pointer: str, value: object) -> object:
    """What `pointer` leads to, as in `/symbol`. Raises LookupError where it leads nowhere."""
    for token in pointer.split("/")[1:]:
        value = _member(value, token.replace("~1", "/").replace("~0", "~"))
    return value


def _member(value: object, name: str) -> object:
    if isinstance(value, dict):
        return value[name]
    if isinstance(value, list) and name.isdecimal():
        return value[int(name)]
    raise LookupError(name)
