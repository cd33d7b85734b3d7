"""A module whose data belongs to users: it tells each who they are, by REST and by WebSocket."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict

from trading_api.settings import Settings
from trading_api.shared.api import APIRouterInterface
from trading_api.shared.loading import AnyModule, AnyRouter, WsPackage
from trading_api.shared.module import Module
from trading_api.shared.module_app import ModuleApp
from trading_api.shared.service import Service
from trading_api.shared.users import AskingUser
from trading_api.shared.ws import AnyRoute, AnyTopic, Conflate, Durable, SequencedUpdate, TopicRefused, WsRoute


class Ask(BaseModel):
    """What is asked for: the same words from everybody."""

    model_config = ConfigDict(frozen=True)

    word: str


class Said(BaseModel):
    """An update: to whom it is said."""

    to: str


class Secrets(WsRoute[Ask, Said]):
    """Delivery Conflate."""

    route = "secrets"
    request_type = Ask
    data_type = Said
    delivery = Conflate


class Letters(WsRoute[Ask, Said]):
    """Delivery Durable."""

    route = "letters"
    request_type = Ask
    data_type = Said
    delivery = Durable


ROUTES: tuple[AnyRoute, ...] = (Secrets, Letters)


class OwnedService(Service):
    """Keeps a topic for each user and name; `calls` are what it was asked to do."""

    def __init__(self) -> None:
        self.topics: dict[tuple[str, str], AnyTopic] = {}
        self.calls: list[str] = []

    async def create_topic(self, topic: AnyTopic) -> None:
        """Say to the user who they are."""
        user = who(topic)
        if topic.request.word == "refused":
            raise TopicRefused(f"not for {user}")
        assert (user, topic.name) not in self.topics, "created twice"
        self.calls.append(f"create {user}")
        self.topics[user, topic.name] = topic
        if not topic.durable:
            topic.publish(Said(to=user))

    async def remove_topic(self, topic: AnyTopic) -> None:
        """Forget it."""
        assert self.topics.pop((who(topic), topic.name)) is topic
        self.calls.append(f"remove {who(topic)}")

    async def replay(self, topic: AnyTopic, since: int) -> Sequence[SequencedUpdate[Any]]:
        """One letter to the user."""
        return [SequencedUpdate(since + 1, Said(to=who(topic)))]


def who(topic: AnyTopic) -> str:
    """The id of the user whose topic it is."""
    return topic.user.id if topic.user else "nobody"


class OwnedModule(Module[OwnedService]):
    """A module that needs a user."""

    needs_user: ClassVar[bool] = True

    @classmethod
    def folder_name(cls) -> str:
        return "owned"

    def create_service(self, settings: Settings) -> OwnedService:  # noqa: ARG002
        return OwnedService()


class OpenModule(OwnedModule):
    """The same that needs none."""

    needs_user: ClassVar[bool] = False


class OwnedApi(APIRouterInterface[OwnedModule]):
    """Who asks."""

    def register(self) -> None:
        if self.module.needs_user:
            self.get("/me", tags=["me"], operation_id="getMe")(self.me)
            self.delete("/me", tags=["me"], operation_id="deleteMe")(self.me)
        self.post("/open", tags=["me"], operation_id="postOpen")(self.open)

    async def me(self, user: AskingUser) -> Said:
        """The user's id."""
        return Said(to=user.id)

    async def open(self) -> Said:
        """Nobody's."""
        return Said(to="anybody")


def owned_app(settings: Settings, kind: type[OwnedModule] = OwnedModule) -> ModuleApp:
    """The module as an app of its own."""
    module = kind(settings)
    api = cast("AnyRouter", OwnedApi(module, "v1", ("v1",)))
    return ModuleApp(cast("AnyModule", module), api, WsPackage(ROUTES))
