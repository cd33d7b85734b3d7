"""A06: a route without a response model keeps the server from starting, and is named."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel

from trading_api.settings import Settings
from trading_api.shared.api import APIRouterInterface
from trading_api.shared.api.response_models import require_response_models
from trading_api.shared.errors import ModuleError
from trading_api.shared.module import Module
from trading_api.shared.module_app import ModuleApp
from trading_api.shared.service import Service


class Answer(BaseModel):
    """Something."""


class ExampleModule(Module[Service]):
    """An example."""

    def create_service(self, settings: Settings) -> Service:  # noqa: ARG002
        return Service()


Register = Callable[[APIRouter], object]


def app_with(register: Register) -> ModuleApp:
    class ExampleApi(APIRouterInterface[ExampleModule]):
        def register(self) -> None:
            register(self)

    return ModuleApp(ExampleModule(Settings()), ExampleApi(ExampleModule(Settings()), "v1", ("v1",)))


def unannotated():  # type: ignore[no-untyped-def]
    return {}


def anything() -> Any:
    return {}


def nothing() -> None:
    """Sends null."""


def model() -> Answer:
    return Answer()


def response() -> Response:
    return Response()


LACKING: dict[str, Register] = {
    "no annotation": lambda api: api.get("/x")(unannotated),
    "response_model=None": lambda api: api.get("/x", response_model=None)(model),
    "a response of any kind": lambda api: api.get("/x")(response),
    "Any": lambda api: api.get("/x")(anything),
    "null": lambda api: api.get("/x")(nothing),
    "hidden from the document": lambda api: api.get("/x", include_in_schema=False)(unannotated),
    "another JSON response": lambda api: api.get("/x", response_class=JSONResponse)(unannotated),
    "201": lambda api: api.get("/x", status_code=201)(unannotated),
}
FINE: dict[str, Register] = {
    "a model": lambda api: api.get("/x")(model),
    "a list": lambda api: api.get("/x", response_model=list[Answer])(unannotated),
    "a model for a ready response": lambda api: api.get("/x", response_model=Answer)(response),
    "204": lambda api: api.delete("/x", status_code=204)(nothing),
    "304": lambda api: api.get("/x", status_code=304)(response),
    "a file": lambda api: api.get("/x", response_class=FileResponse)(unannotated),
    "a stream": lambda api: api.get("/x", response_class=StreamingResponse)(unannotated),
    "a page": lambda api: api.get("/x", response_class=HTMLResponse)(unannotated),
}


@pytest.mark.parametrize("name", LACKING)
def test_A06_a_route_without_a_response_model_fails_with_its_name(name: str) -> None:
    with pytest.raises(ModuleError, match=r"no response model: GET /x \(\w+\); annotate") as raised:
        app_with(LACKING[name])
    assert raised.value.place.file == __file__
    assert raised.value.place.line


@pytest.mark.parametrize("name", FINE)
def test_A06_answers_that_have_one_or_need_none_are_fine(name: str) -> None:
    assert app_with(FINE[name]).title


def test_A06_every_route_that_lacks_one_is_named() -> None:
    def register(api: APIRouter) -> None:
        api.get("/a")(unannotated)
        api.post("/b")(unannotated)

    with pytest.raises(ModuleError, match=r"GET /a \(unannotated\), POST /b \(unannotated\)"):
        app_with(register)


def test_A06_routers_in_routers_are_looked_into() -> None:
    inner, outer = APIRouter(), APIRouter()
    inner.get("/deep")(unannotated)
    outer.include_router(inner, prefix="/in")
    with pytest.raises(ModuleError, match="GET /in/deep"):
        require_response_models("x", [*outer.routes])
