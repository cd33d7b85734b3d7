"""What a module does, apart from how it is reached: the base class of every `modules/<name>/service.py`."""

from dataclasses import dataclass
from typing import Literal

HealthStatus = Literal["ok", "degraded"]


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """How a service fares. `degraded` means: it answers, but something it needs is missing; `message` says what."""

    status: HealthStatus = "ok"
    message: str = "The module is up."


class Service:
    """A module's work without HTTP. Made once per process by its module, shared by every version of its API."""

    async def startup(self) -> None:
        """Open what the service needs. Runs in the event loop before the first request; raising fails the start-up."""

    async def shutdown(self) -> None:
        """Close what `startup` opened. Runs once, after the last request."""

    def health(self) -> ServiceHealth:
        """How the service fares now. Called for every `/health`, so it must neither block nor wait."""
        return ServiceHealth()
