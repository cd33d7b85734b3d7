"""Names in Python for names on the wire."""

import builtins
import keyword
import re
from collections.abc import Container, Iterable, Set
from itertools import count
from types import MappingProxyType

from trading_api.codegen.clients.source import ClientSource, ClientSourceError

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
# What generated modules import or define, in Python and TypeScript, so that no model may take the name.
_IMPORTED = (
    "Annotated Any AnyUrl ApiModel AwareDatetime BaseModel ConfigDict Decimal Enum Field Generic IntEnum Literal "
    "Optional RootModel StrEnum TypeAlias TypeAliasType TypeAdapter UUID Union "
    "Array Blob Record Promise Operations OperationId ClientFrame ServerFrame SubscriptionReply SubscriptionProblem"
)
TAKEN_CLASS_NAMES = frozenset(_IMPORTED.split(" ")) | {name for name in dir(builtins) if name[:1].isupper()}


def snake_case(name: str) -> str:
    """`getCurrentAPIVersion` as `get_current_api_version`; always an identifier, though perhaps a keyword."""
    text = "_".join(word.lower() for word in _WORDS.findall(name)) or "value"
    return f"n{text}" if text[0].isdigit() else text


def pascal_case(name: str) -> str:
    """`order-thing` as `OrderThing`; what is in capitals stays so."""
    text = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name) if part) or "Model"
    return f"N{text}" if text[0].isdigit() else text


def identifier(name: str, taken: Set[str] = frozenset()) -> str:
    """The name of a parameter: snake case, with an underscore behind keywords and what is `taken`."""
    text = snake_case(name)
    while keyword.iskeyword(text) or text in taken:
        text += "_"
    return text


def class_names(wire_names: Iterable[str]) -> MappingProxyType[str, str]:
    """A class name for each component, each its own. The same for the same set of components, in any order."""
    found: dict[str, str] = {}
    used: set[str] = set()
    # Names that need no change come first, so that none is taken away by one that does.
    for name in sorted(wire_names, key=lambda name: (pascal_case(name) != name, name)):
        candidate = pascal_case(name)
        if candidate in TAKEN_CLASS_NAMES:
            candidate += "Model"
        candidate = free_name(candidate, used)
        used.add(candidate)
        found[name] = candidate
    return MappingProxyType(found)


def free_name(name: str, taken: Container[str]) -> str:
    """`name`, with the first number behind it that makes it free."""
    numbered = (f"{name}{number}" for number in count(2))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def client_class_name(source: ClientSource) -> str:
    """`BrokerClient`; of later versions with the version, `BrokerV2Client`."""
    return f"{_class_stem(source)}Client"


def sync_client_class_name(source: ClientSource) -> str:
    """`BrokerSyncClient`, `BrokerV2SyncClient`."""
    return f"{_class_stem(source)}SyncClient"


def _class_stem(source: ClientSource) -> str:
    version = "" if source.version == "v1" else pascal_case(source.version)
    return pascal_case(source.module) + version


def unique(where: str, names: Iterable[str]) -> None:
    """Raise ClientSourceError for a name that occurs twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ClientSourceError(where, f"two things would be called {name!r} in Python")
        seen.add(name)
