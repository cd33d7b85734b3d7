"""Reads and checks the configuration file. Everything wrong with it is found in one run (C02)."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from deploy import checks, yaml_source
from deploy.errors import ConfigError, Problem
from deploy.manifest import Manifest
from deploy.schema import DeploymentConfig, Section, ServerConfig
from deploy.yaml_source import Data, KeyPath, Source

_PRUNE_ROUNDS = 8
_TYPE_ERRORS = {
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "float_type": "expected a number",
    "string_type": "expected text",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "dict_type": "expected a mapping of keys",
    "model_type": "expected a mapping of keys",
    "model_attributes_type": "expected a mapping of keys",
    "tuple_type": "expected a list",
    "list_type": "expected a list",
}
_BOUNDS = {
    "literal_error": "expected {expected}, got {described}",
    "greater_than_equal": "must be at least {bound}, is {given}",
    "less_than_equal": "must be at most {bound}, is {given}",
    "too_short": "must hold at least {min_length}, holds {actual_length}",
    "too_long": "must hold at most {max_length}, holds {actual_length}",
}


def load(path: Path, manifest: Manifest | None, environ: Mapping[str, str]) -> DeploymentConfig:
    """Read `path` and check it against the schema and the modules of `manifest`; None: whatever the modules are.

    Raises ConfigError with every problem, each with line and column where it stands.
    """
    text = yaml_source.read_file_text(path)
    if isinstance(text, Problem):
        raise ConfigError(path, [text])
    source = yaml_source.read(text, environ)
    config = _validate(source)
    if config is not None:
        checks.check(config, manifest, source)
    if source.problems or config is None:
        raise ConfigError(path, source.problems)
    return config


def _validate(source: Source) -> DeploymentConfig | None:
    """The validated file; where parts are wrong, what remains without them, so that later checks still run."""
    data = source.data
    if not isinstance(data, dict) or not data:
        if not source.problems:
            source.problems.append(_not_a_mapping(data))
        return None
    for round_ in range(_PRUNE_ROUNDS):
        try:
            return DeploymentConfig.model_validate(data)
        except ValidationError as error:
            details = error.errors(include_url=False)
        if round_ == 0:
            _note(source, details)
        data = _without(data, details)
    return None


def _not_a_mapping(data: Data) -> Problem:
    if data is None or data == {}:
        return Problem("", "the file is empty", 1, 1, "it needs at least servers: with one server; see dev-config.yaml")
    return Problem("", "expected a mapping of keys at the top level", 1, 1, "see dev-config.yaml")


def _note(source: Source, details: list[ErrorDetails]) -> None:
    for detail in details:
        path, is_key = _clean(detail)
        if path in source.unfilled:
            continue
        message, hint = _words(detail, path)
        source.add(path, message, hint=hint, key=is_key)


def _clean(detail: ErrorDetails) -> tuple[KeyPath, bool]:
    """pydantic's location as a path of the file; and whether its key is meant rather than its value."""
    path = tuple(part for part in detail["loc"] if part != "[key]")
    is_key = "[key]" in detail["loc"] or detail["type"] in ("extra_forbidden", "missing")
    return (path[:-1] if detail["type"] == "missing" else path), is_key


def _words(detail: ErrorDetails, path: KeyPath) -> tuple[str, str]:
    """What is wrong, and a hint, in the words of the configuration file rather than of pydantic."""
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return "unknown key", _did_you_mean(str(path[-1]), _known_keys(path[:-1]))
    if kind == "missing":
        return f"the key {detail['loc'][-1]!r} is missing", ""
    if kind in _TYPE_ERRORS:
        return f"{_TYPE_ERRORS[kind]}, got {_describe(value)}", _type_hint(kind, value)
    if kind == "value_error":
        return detail["msg"].removeprefix("Value error, "), ""
    context = cast("dict[str, object]", detail.get("ctx", {}))
    if kind in _BOUNDS:
        bound = _number(context.get("ge", context.get("le")))
        return _BOUNDS[kind].format(**context, bound=bound, given=_number(value), described=_describe(value)), ""
    return detail["msg"][:1].lower() + detail["msg"][1:], ""


def _number(value: object) -> str:
    """A bound in the words of the file: sizes are whole megabytes, and ports are not."""
    if isinstance(value, int) and value >= 1024**2 and value % 1024**2 == 0:
        return f"{value // 1024**2}MB"
    return f"{value:g}" if isinstance(value, float) else _short(value)


def _describe(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {_short(value)}"
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else _short(value)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _type_hint(kind: str, value: object) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float):
        return "put it in quotes"
    if kind == "int_type" and isinstance(value, str) and value.strip().isdigit():
        return "write it without quotes"
    return ""


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    import difflib  # here, not above: only a mistake needs it

    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.65)
    if close:
        return f"did you mean {close[0]}?"
    return f"known keys: {', '.join(names)}" if names else ""


def _known_keys(path: KeyPath) -> Iterable[str]:
    """The keys that the schema knows at `path`."""
    if len(path) == 2 and path[0] == "servers":
        return ServerConfig.model_fields
    model: type[Section] = DeploymentConfig
    for part in path:
        field = model.model_fields.get(str(part))
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, Section):
            return ()
        model = field.annotation
    return model.model_fields


def _without(data: dict[str, Data], details: list[ErrorDetails]) -> dict[str, Data]:
    """`data` less everything that an error points at; a mapping that lacks a required key goes whole."""
    pruned = cast("dict[str, Data]", _copy(data))
    for detail in details:
        _remove(pruned, _clean(detail)[0])
    return pruned


def _copy(data: Data) -> Data:
    if isinstance(data, dict):
        return {key: _copy(value) for key, value in data.items()}
    return [_copy(value) for value in data] if isinstance(data, list) else data


def _remove(data: dict[str, Data], path: KeyPath) -> None:
    node: Data = data
    for part in path[:-1]:
        if isinstance(node, dict) and isinstance(part, str):
            node = node.get(part)
    last = path[-1] if path else ""
    if isinstance(node, list) and isinstance(last, int):
        node[last] = checks.CORE  # a name that modules and symbols may bear; core is in every server anyway
    elif isinstance(node, dict):
        node.pop(str(last), None)
