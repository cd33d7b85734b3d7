"""What changed between two sets of contracts, module by module."""

from collections.abc import Iterator
from dataclasses import dataclass

from trading_api.codegen.differ import Change, diff_asyncapi, diff_openapi
from trading_api.codegen.documents import Documents, SpecName

_WORDS = {"openapi": "REST contract", "asyncapi": "WebSocket contract"}


@dataclass(frozen=True, slots=True)
class SpecChange:
    """A change, and the document it is in."""

    spec: SpecName
    change: Change

    def line(self) -> str:
        """`datafeed v1: GET /bars: response 200: Bar.volume: number -> string [breaking]`."""
        return f"{self.spec.module} {self.spec.version}: {self.change.line()}"

    def to_json(self) -> dict[str, object]:
        document = {"module": self.spec.module, "version": self.spec.version, "document": self.spec.kind}
        return {**document, **self.change.to_json()}


def contract_changes(old: Documents, new: Documents) -> list[SpecChange]:
    """Every change from `old` to `new`, in the order of modules, versions and kinds."""
    return [SpecChange(spec, change) for spec in sorted({*old, *new}) for change in _changes(spec, old, new)]


def _changes(spec: SpecName, old: Documents, new: Documents) -> Iterator[Change]:
    if spec in old and spec in new:
        compare = diff_asyncapi if spec.kind == "asyncapi" else diff_openapi
        yield from compare(old[spec], new[spec])
    elif spec in new:
        yield Change("contract.added", _WORDS[spec.kind], "added", "both", breaking=False)
    else:
        # A version may be retired when clients have a newer one to go to.
        newer = any(_follows(other, spec) for other in new)
        yield Change("contract.removed", _WORDS[spec.kind], "removed", "both", breaking=not newer)


def _follows(other: SpecName, spec: SpecName) -> bool:
    same = (other.module, other.kind) == (spec.module, spec.kind)
    return same and _number(other.version) > _number(spec.version)


def _number(version: str) -> int:
    digits = version.removeprefix("v")
    return int(digits) if digits.isdecimal() else 0
