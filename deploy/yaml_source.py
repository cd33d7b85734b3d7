"""YAML text → plain data, with the line and column of every key and value.

Only what a configuration needs: mappings, lists and scalars. Duplicate keys are problems, not silently the last one
(C02); `${NAME}` and `${NAME:-default}` in values are filled from the environment (C08), after parsing, so that a value
can never change the structure of the file.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import yaml

from deploy.errors import Problem

MAX_NODES = 20_000
MAX_DEPTH = 16
KeyPath = tuple[str | int, ...]
Data = str | int | float | bool | None | list["Data"] | dict[str, "Data"]

_REFERENCE = re.compile(r"\$(?:\$|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|\{(?P<bad>[^}]*)\}?)")
_Loader: type[yaml.CSafeLoader] | type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Mark:
    """A place in the file, counted from 1."""

    line: int
    column: int


@dataclass
class Source:
    """What was read: the data, where each key and value stands, and what is wrong so far. `unfilled` are the values
    whose reference could not be filled in; what they would have been is not worth a second problem."""

    data: Data = None
    keys: dict[KeyPath, Mark] = field(default_factory=dict)
    values: dict[KeyPath, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unfilled: set[KeyPath] = field(default_factory=set)

    def mark_of(self, path: KeyPath, *, key: bool = False) -> Mark:
        """Where `path` stands: its value, or its key; the nearest parent where the path itself is absent."""
        first, second = (self.keys, self.values) if key else (self.values, self.keys)
        for length in range(len(path), -1, -1):
            mark = first.get(path[:length]) or second.get(path[:length])
            if mark is not None:
                return mark
        return Mark(1, 1)

    def add(self, path: KeyPath, message: str, *, hint: str = "", key: bool = False) -> None:
        """Note a problem at `path`."""
        mark = self.mark_of(path, key=key)
        self.problems.append(Problem(dotted(path), message, mark.line, mark.column, hint))


def dotted(path: KeyPath) -> str:
    """`('servers', 'broker', 'modules', 0)` → `servers.broker.modules[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read(text: str, environ: Mapping[str, str]) -> Source:
    """Parse `text`. Never raises for bad input: what is wrong is in `problems`."""
    source = Source()
    try:
        too_deep = _too_deep(text)
        node = yaml.compose(text, Loader=_Loader) if too_deep is None else None
    except yaml.YAMLError as error:
        source.problems.append(_syntax_problem(error, text))
        return source
    if too_deep is not None:
        source.problems.append(too_deep)
    if node is not None:
        _Reader(source, environ).read_root(node)
    return source


def _mark(place: object) -> Mark:
    """YAML's mark, counted from 1."""
    return Mark(getattr(place, "line", 0) + 1, getattr(place, "column", 0) + 1)


def _too_deep(text: str) -> Problem | None:
    """The place where nesting goes beyond any configuration's. Events come one by one; composing recurses in C, and
    without this bound a long row of brackets ends the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            where = _mark(event.start_mark)
            return Problem("", f"nested more than {MAX_DEPTH} levels deep", where.line, where.column)
    return None


def _syntax_problem(error: yaml.YAMLError, text: str) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        return Problem("", f"not valid YAML: {what}", line, column, _syntax_hint(error.problem or "", text, line))
    return Problem("", f"not valid YAML: {' '.join(str(error).split())}", 1, 1)


def _syntax_hint(problem: str, text: str, line: int) -> str:
    row = next(iter(text.splitlines()[line - 1 : line]), "")
    if "\\t" in problem or row.startswith("\t"):
        return "indent with spaces, not tabs"
    if "${" in row:
        return "inside { } a ${NAME} confuses YAML: write the mapping out, a key a line"
    return ""


def _resolve(constructor: yaml.SafeLoader, text: str) -> str:
    """The type that YAML gives to the plain text `text`, as a tag."""
    tag = constructor.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return str(tag)


class _TooMuch(Exception):
    """The file is larger or deeper than any configuration is."""


class _Reader:
    """Walks the node tree once."""

    def __init__(self, source: Source, environ: Mapping[str, str]) -> None:
        self._source = source
        self._environ = environ
        self._nodes = 0
        self._constructor = yaml.SafeLoader("")

    def read_root(self, node: yaml.Node) -> None:
        try:
            self._source.data = self._read(node, ())
        except _TooMuch as error:
            self._source.problems.append(Problem("", str(error), 1, 1))

    def _read(self, node: yaml.Node, path: KeyPath) -> Data:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _TooMuch(f"more than {MAX_NODES} values; aliases that repeat large parts are not supported")
        if len(path) > MAX_DEPTH:  # an alias may nest deeper than the text
            raise _TooMuch(f"nested more than {MAX_DEPTH} levels deep")
        self._source.values[path] = Mark(node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.MappingNode):
            return self._read_mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._read(child, (*path, index)) for index, child in enumerate(node.value)]
        return self._read_scalar(cast("yaml.ScalarNode", node), path)

    def _read_mapping(self, node: yaml.MappingNode, path: KeyPath) -> Data:
        result: dict[str, Data] = {}
        for name, child_path, child in self._children(node, path):
            result[name] = self._read(child, child_path)
        return result

    def _children(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[str, KeyPath, yaml.Node]]:
        seen: dict[str, Mark] = {}
        for key_node, child in node.value:
            mark = Mark(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            name = self._key_name(key_node, path, mark)
            if name is None:
                continue
            if name in seen:
                self._problem((*path, name), f"duplicate key; it stands already on line {seen[name].line}", mark)
                continue
            seen[name] = mark
            self._source.keys[(*path, name)] = mark
            yield name, (*path, name), child

    def _key_name(self, node: yaml.Node, path: KeyPath, mark: Mark) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self._problem(path, "a key must be plain text", mark)
            return None
        if node.tag == "tag:yaml.org,2002:merge":
            self._problem(path, "merge keys (<<) are not supported; write the keys out", mark)
            return None
        return str(node.value)

    def _read_scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Data:
        text = str(node.value)
        tag = node.tag
        if "$" in text:
            text = _REFERENCE.sub(lambda match: self._fill(match, node, path), text)
            if not node.style:
                # A plain value gets its type after filling in: `port: ${PORT:-8001}` is a number.
                tag = _resolve(self._constructor, text)
        return self._construct(tag, text, node, path)

    def _fill(self, match: re.Match[str], node: yaml.Node, path: KeyPath) -> str:
        name, default = match["name"], match["default"]
        if match[0] == "$$":
            return "$"
        if match["bad"] is not None:
            self._source.unfilled.add(path)
            self._node_problem(node, path, f"{match[0]!r} is no reference; write ${{NAME}} or ${{NAME:-default}}")
            return ""
        value = self._environ.get(name)
        if value is None or (value == "" and default is not None):
            if default is None:
                self._missing(node, path, name)
            return default or ""
        return value

    def _missing(self, node: yaml.Node, path: KeyPath, name: str) -> None:
        self._source.unfilled.add(path)
        message = f"environment variable {name} is not set"
        self._node_problem(node, path, message, hint=f"export it, or give a default: ${{{name}:-value}}")

    def _construct(self, tag: str, text: str, node: yaml.ScalarNode, path: KeyPath) -> Data:
        scalar = yaml.ScalarNode(tag, text, node.start_mark, node.end_mark, node.style)
        try:
            value = self._constructor.construct_object(scalar)
        except (yaml.YAMLError, ValueError) as error:
            problem = error.problem if isinstance(error, yaml.MarkedYAMLError) else str(error)
            self._node_problem(node, path, f"not a value that a configuration can hold: {problem}")
            return None
        if value is None or isinstance(value, str | int | float | bool):
            return value
        return text  # dates and the like have no place in this schema; they are text

    def _node_problem(self, node: yaml.Node, path: KeyPath, message: str, *, hint: str = "") -> None:
        self._problem(path, message, Mark(node.start_mark.line + 1, node.start_mark.column + 1), hint=hint)

    def _problem(self, path: KeyPath, message: str, mark: Mark, *, hint: str = "") -> None:
        self._source.problems.append(Problem(dotted(path), message, mark.line, mark.column, hint))


def read_file_text(path: Path, *, limit: int = 1024 * 1024) -> str | Problem:
    """The text of a configuration file, or the problem with reading it."""
    try:
        raw = path.read_bytes() if path.stat().st_size <= limit else None
    except FileNotFoundError:
        return Problem("", "no such file", hint="name another with config=FILE, or create it from dev-config.yaml")
    except OSError as error:
        return Problem("", f"cannot be read: {error.strerror or error}")
    if raw is None:
        return Problem("", f"larger than {limit // 1024} KiB; this is no deployment configuration")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Problem("", "not UTF-8 text", line, 1, "save the file as UTF-8")
