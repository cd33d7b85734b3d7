"""Operations of a contract as Python will call them."""

from dataclasses import dataclass, field

from trading_api.codegen.clients.source import Json


@dataclass(frozen=True, slots=True)
class Parameter:
    """One keyword of a method. `comma`: a list that is written as `a,b` under one name."""

    wire_name: str
    name: str
    place: str
    annotation: str
    required: bool
    description: str = ""
    comma: bool = False
    schema: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Body:
    """What a method sends. A form is sent as keywords (`fields`), everything else as one argument called `name`."""

    builder: str
    annotation: str = ""
    required: bool = True
    content_type: str = ""
    description: str = ""
    fields: tuple[Parameter, ...] = ()
    name: str = "body"
    schema: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """How a good answer of `status` is read: the expression of its reader, and the type of what that returns."""

    status: str
    reader: str
    annotation: str
    schema: Json | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of a client."""

    id: str
    name: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    answers: tuple[Answer, ...]
    returns: str
    description: str
    errors: tuple[tuple[str, str], ...]
    """Status and description of the errors that the contract names."""
    deprecated: bool = False

    def of(self, place: str) -> tuple[Parameter, ...]:
        """The parameters in one place: `path`, `query` or `header`."""
        return tuple(parameter for parameter in self.parameters if parameter.place == place)

    @property
    def keywords(self) -> tuple[Parameter, ...]:
        """Every keyword of the method, required ones first."""
        fields = self.body.fields if self.body else ()
        return tuple(sorted((*self.parameters, *fields), key=lambda parameter: not parameter.required))

    @property
    def argument(self) -> Body | None:
        """The body, where it is an argument of its own."""
        return self.body if self.body and not self.body.fields else None

    @property
    def keyed(self) -> bool:
        """Whether it takes an Idempotency-Key."""
        return any(parameter.wire_name.lower() == "idempotency-key" for parameter in self.of("header"))
