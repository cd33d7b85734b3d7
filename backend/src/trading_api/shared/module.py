"""The base class of every module."""

import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from trading_api.settings import Settings
from trading_api.shared.service import Service

ServiceT = TypeVar("ServiceT", bound=Service, covariant=True)


class Module(ABC, Generic[ServiceT]):
    """One feature of the deployment: a folder `modules/<name>/` whose `__init__.py` defines one subclass of this.

    The folder gives the name (`modules/order_book/` is `order_book`) and the versions (`api/v1.py` or `api/v1/`,
    and `ws/v1/`). One instance lives in a process, whatever the number of versions it serves.
    """

    traits: ClassVar[tuple[str, ...]] = ()
    """Facts about the module that the deployment tool reads from `manifest.json`."""

    needs_user: ClassVar[bool] = False
    """Whether what it serves belongs to users: its state and documents alone are then served to strangers."""

    @classmethod
    def all_traits(cls) -> frozenset[str]:
        """The traits, with those that follow from what the class says of itself."""
        return frozenset({*cls.traits, "needs-user"} if cls.needs_user else cls.traits)

    def __init__(self, settings: Settings) -> None:
        self.name = self.folder_name()
        self.settings = settings
        self.service = self.create_service(settings)
        self._running = 0

    @classmethod
    def folder_name(cls) -> str:
        """The name of the folder that holds the class, which is the module's name everywhere."""
        return cls.__module__.rpartition(".")[2]

    @classmethod
    def folder(cls) -> Path:
        """The folder that holds the module."""
        source = sys.modules[cls.__module__].__file__
        assert source, f"{cls.__module__} is a file"
        return Path(source).parent

    @abstractmethod
    def create_service(self, settings: Settings) -> ServiceT:
        """Make the module's service. Called once; what it opens, it opens in `startup` or later."""

    async def startup(self) -> None:
        """Runs once per process before the first request. An override must call this one."""
        await self.service.startup()

    async def shutdown(self) -> None:
        """Runs once per process after the last request, if `startup` succeeded. An override must call this one."""
        await self.service.shutdown()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Started for as long as anybody is inside. Each version's app enters it; the hooks still run once."""
        if not self._running:
            await self.startup()
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                await self.shutdown()
