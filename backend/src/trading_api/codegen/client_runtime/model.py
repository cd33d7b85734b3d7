"""The base classes of generated models: tolerant of what a newer server sends, exact in what they send."""

import enum
from typing import Any

from pydantic import BaseModel, ConfigDict


class ApiModel(BaseModel):
    """A component of the contract. Fields that this client does not know are ignored.

    A field that was never set is absent when sent; one that was set to None is sent as null.
    """

    model_config = ConfigDict(extra="ignore", populate_by_name=True, protected_namespaces=())


class StrEnum(enum.StrEnum):
    """An open enumeration: a value that a newer server added becomes a member of that name, and does not raise."""

    @classmethod
    def _missing_(cls, value: object) -> Any:
        return _unknown_member(cls, str.__new__(cls, value), value) if isinstance(value, str) else None


class IntEnum(enum.IntEnum):
    """An open enumeration of integers, as StrEnum. A member that is not known is named `unknown_7`."""

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        return _unknown_member(cls, int.__new__(cls, value), f"unknown_{value}".replace("-", "minus_"))


def _unknown_member(cls: type[enum.Enum], member: Any, name: str) -> Any:
    """Give `member` what `enum` gives its own. Kept for later, so that equal values are one object."""
    member._name_ = name
    member._value_ = cls._member_type_(member)  # type: ignore[attr-defined]
    return cls._value2member_map_.setdefault(member._value_, member)
