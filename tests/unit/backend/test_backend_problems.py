"""One error shape everywhere, and specs that tell of it (A08)."""

import json
import logging
from collections.abc import Iterator
from typing import Annotated

import pytest
from fastapi import Body, HTTPException, Query
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Message
from support.backend_calls import Json, call, run_app

from trading_api.settings import Settings
from trading_api.shared import problems
from trading_api.shared.api import APIRouterInterface
from trading_api.shared.edge.body_limit import DEFAULT_BODY_LIMIT
from trading_api.shared.modular_app import ModularApp
from trading_api.shared.module import Module
from trading_api.shared.module_app import ModuleApp
from trading_api.shared.problems import MAX_FIELD_ERRORS, FieldError, ProblemError, field_error
from trading_api.shared.refusal_log import RefusalLog
from trading_api.shared.service import Service

JSON_HEADERS = {"Content-Type": "application/json"}
FIELDS = {"type", "title", "status", "detail", "instance", "request_id"}


class Order(BaseModel):
    """A body with something to get wrong."""

    qty: float = Field(gt=0)
    legs: list[int] = []


class Inner(BaseModel):
    """Within another."""

    model_config = ConfigDict(extra="forbid")

    depth: int = 0


class StrictOrder(Order):
    """An order with no other fields than these."""

    model_config = ConfigDict(extra="forbid")

    inner: Inner | None = None
    ids: list[int] = Field(default=[0], min_length=1)
    few: list[int] = Field(default=[0], max_length=1)
    key: str = Field(default="k", pattern=r"^[\x20-\x7e]+$")
    all: list[Inner] = []


class FaultyApi(APIRouterInterface[Module[Service]]):
    """Routes that fail in every way there is."""

    def register(self) -> None:
        self.get("/refuse/{status}")(self.refuse)
        self.get("/waiting/{status}")(self.wait)
        self.get("/structured")(self.structured)
        self.get("/carrying")(self.carrying)
        self.get("/crash")(self.crash)
        self.get("/wrong-answer")(self.wrong_answer)
        self.post("/orders")(self.place)
        self.post("/strict")(self.place_strictly)
        self.get("/halved")(self.halved)

    async def refuse(self, status: int) -> str:
        raise HTTPException(status, "Symbol not found", headers={"Retry-After": "7"})

    async def wait(self, status: int) -> str:
        try:
            raise OSError("/secret is locked")
        except OSError as error:
            raise ProblemError(status, "Try again later.") from error

    async def structured(self) -> str:
        raise HTTPException(400, {"margin": 12})

    async def carrying(self) -> str:
        raise ProblemError(409, "Taken.", errors=[FieldError(location="header.key", message="used")])

    async def crash(self) -> str:
        raise RuntimeError("the secret of the house")

    async def wrong_answer(self) -> Order:
        return {"qty": -1}  # type: ignore[return-value]

    async def halved(self) -> str:
        raise HTTPException(409, "half of \ud83d")

    async def place_strictly(self, order: StrictOrder) -> str:
        return str(order.qty)

    async def place(self, order: Annotated[Order, Body()], limit: Annotated[int, Query()] = 1) -> str:
        return f"{order.qty} {limit}"


class FaultyModule(Module[Service]):
    """The module of those routes."""

    def create_service(self, settings: Settings) -> Service:  # noqa: ARG002
        return Service()


@pytest.fixture(name="app", scope="module")
def faulty_app() -> ModularApp:
    module = FaultyModule(Settings())
    module.name = "faulty"
    return ModularApp([ModuleApp(module, FaultyApi(module, "v1", ("v1",)))], "/api")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG, logger="trading_api"):
        yield caplog


def problem(app: ModularApp, path: str, status: int, method: str = "GET", content: bytes | list[bytes] = b"") -> Json:
    response = call(app, path, method, content=content, headers=JSON_HEADERS)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    document: Json = response.json()
    assert document.keys() - {"errors"} == FIELDS
    assert document["status"] == status
    assert document["instance"] == path
    assert document["request_id"] == response.headers["x-request-id"]
    assert isinstance(document["detail"], str)
    return document


def test_A08_unhandled_error_tells_nothing_and_logs_its_traceback_once(
    app: ModularApp, lines: pytest.LogCaptureFixture
) -> None:
    document = problem(app, "/api/v1/faulty/crash", 500)
    assert "secret" not in str(document)
    errors = [record for record in lines.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert errors[0].exc_info
    assert "secret of the house" in str(errors[0].exc_info[1])


def test_A08_an_answer_of_the_wrong_shape_is_a_500(app: ModularApp, lines: pytest.LogCaptureFixture) -> None:
    problem(app, "/api/v1/faulty/wrong-answer", 500)
    assert [record.levelno for record in lines.records if record.levelno > logging.DEBUG] == [logging.ERROR]


@pytest.mark.parametrize(
    "path", ["/", "/nope", "/api/v1", "/api/v1/faulty", "/api/v1/faulty/nope", "/api/v2/faulty/health"]
)
def test_A08_unknown_path_is_a_problem_inside_and_outside_of_a_module(app: ModularApp, path: str) -> None:
    document = problem(app, path, 404)
    assert (document["type"], document["title"]) == ("about:blank", "Not Found")


def test_A08_wrong_method_says_which_is_right(app: ModularApp) -> None:
    assert problem(app, "/api/v1/faulty/health", 405, "DELETE")["detail"].endswith("it takes GET.")
    assert call(app, "/api/v1/faulty/health", "DELETE").headers["allow"] == "GET"


def test_A08_invalid_request_lists_the_wrong_places(app: ModularApp) -> None:
    document = problem(app, "/api/v1/faulty/orders", 422, "POST", b'{"qty": -1, "legs": ["x"]}')
    assert [error["location"] for error in document["errors"]] == ["body.qty", "body.legs.0"]
    assert "body.qty: Input should be greater than 0" in document["detail"]
    assert document["title"] == "Unprocessable Content"


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[1]", b"null", b"[" * 100_000])
def test_A08_a_body_that_is_no_json_object_is_a_problem(app: ModularApp, content: bytes) -> None:
    response = call(app, "/api/v1/faulty/orders", "POST", content=content, headers=JSON_HEADERS)
    assert response.status_code == 422
    assert response.json()["errors"][0]["location"].startswith("body")


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b'{"qty": 1, "quality": 2}', "application/json", "body.quality: there is no such field (did you mean 'qty'?"),
        (b'{"qty": 1, "leg": 2}', "application/json", "body.leg: there is no such field (did you mean 'legs'?"),
        (
            b'{"qty": 1, "inner": {"size": 1}}',
            "application/json",
            "body.inner.size: there is no such field (known: depth)",
        ),
        (
            b'{"qty": 1, "all": [{"dept": 1}]}',
            "application/json",
            "body.all.0.dept: there is no such field (did you",
        ),
        (b'{"qty":\n 1,}', "application/json", "body: is no JSON: "),
        (b'{"qty":\n x}', "application/json", "body: is no JSON: Expecting value at line 2, column 2"),
        (b'{"qty":\n "\xff"}', "application/json", "body: is no JSON: byte 0xff at line 2, column 3 is not UTF-8"),
        (b"[" * 100_000, "application/json", "body: is no JSON that can be read: arrays or objects are nested too"),
        (b"1" * 5000, "application/json", "body: is no JSON that can be read: a number has more than 4300 digits"),
        (b"", "application/json", "body: Field required"),
        (b'{"qty": 1}', "text/plain", "send the header Content-Type: application/json"),
        (b'{"qty": 1}', "nonsense", "send the header Content-Type: application/json"),
        (b'{"qty": 1}', "", "send the header Content-Type: application/json"),
        (b"[1]", "application/json", "body: Input should be a valid dictionary"),
    ],
)
def test_A08_a_wrong_body_is_told_in_words_for_whoever_wrote_it(
    app: ModularApp, content: bytes, kind: str, words: str
) -> None:
    response = call(app, "/api/v1/faulty/strict", "POST", content=content, headers={"Content-Type": kind})
    assert response.status_code == 422
    assert words in response.json()["detail"]
    (error,) = response.json()["errors"]
    assert f"{error['location']}: {error['message']}" == response.json()["detail"]


def test_A08_words_that_quote_what_no_utf8_holds_are_sent_all_the_same(app: ModularApp) -> None:
    response = call(app, "/api/v1/faulty/halved")
    assert (response.status_code, response.json()["detail"]) == (409, "half of ?")


def test_A08_what_a_model_says_is_told_in_its_own_words() -> None:
    said = {"type": "value_error", "loc": ("body", "qty", 0), "msg": "Value error, give at least one"}
    assert field_error(said) == FieldError(location="body.qty.0", message="give at least one")
    assert field_error({**said, "loc": ()}, "payload").location == "payload"
    # Only what pydantic put there goes, and only where it puts it.
    assert field_error({**said, "msg": "Value error, Value error, x"}).message == "Value error, x"
    assert field_error({**said, "type": "own_type"}).message == said["msg"]


def test_A08_the_list_of_wrong_places_is_bounded(app: ModularApp) -> None:
    content = b'{"qty": 1, "legs": [' + b",".join([b'"x"'] * 500) + b"]}"
    assert len(problem(app, "/api/v1/faulty/orders", 422, "POST", content)["errors"]) == MAX_FIELD_ERRORS


def test_A08_too_large_a_body_is_a_problem(app: ModularApp) -> None:
    document = problem(app, "/api/v1/faulty/orders", 413, "POST", b"x" * (DEFAULT_BODY_LIMIT + 1))
    assert document["title"] == "Content Too Large"
    assert str(DEFAULT_BODY_LIMIT) in document["detail"]


def test_A08_a_body_that_grows_too_large_is_a_problem(app: ModularApp) -> None:
    problem(app, "/api/v1/faulty/orders", 413, "POST", [b" " * (DEFAULT_BODY_LIMIT // 2)] * 3)


def test_A08_http_exception_keeps_status_detail_and_headers(app: ModularApp) -> None:
    assert problem(app, "/api/v1/faulty/refuse/404", 404)["detail"] == "Symbol not found"
    assert call(app, "/api/v1/faulty/refuse/404").headers["retry-after"] == "7"
    assert problem(app, "/api/v1/faulty/refuse/499", 499)["title"] == "Error"


def test_A08_detail_is_a_string_whatever_was_raised(app: ModularApp) -> None:
    assert problem(app, "/api/v1/faulty/structured", 400)["detail"] == '{"margin": 12}'


def test_A08_a_problem_can_carry_the_wrong_places(app: ModularApp) -> None:
    document = problem(app, "/api/v1/faulty/carrying", 409)
    assert document["errors"] == [{"location": "header.key", "message": "used"}]


def test_A08_instance_leaves_out_the_query(app: ModularApp) -> None:
    assert call(app, "/nope%20%0A?token=secret").json()["instance"] == "/nope%20%0A"


def test_P13_refusals_are_logged_at_debug_and_5xx_at_error(app: ModularApp, lines: pytest.LogCaptureFixture) -> None:
    for status in (404, 422, 503):
        call(app, f"/api/v1/faulty/refuse/{status}")
    levels = {record.getMessage()[:3]: record.levelno for record in lines.records}
    assert levels == {"404": logging.DEBUG, "422": logging.DEBUG, "503": logging.ERROR}


def test_P13_an_answer_that_the_program_means_is_no_mistake_of_it(
    app: ModularApp, lines: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problems, "_refusals", RefusalLog())
    for status in (503, 503, 404, 500):
        assert "secret" not in str(problem(app, f"/api/v1/faulty/waiting/{status}", status))
    told = [(record.levelno, bool(record.exc_info)) for record in lines.records if record.levelno > logging.DEBUG]
    assert told == [(logging.WARNING, False), (logging.ERROR, True)], "a 500 is one all the same"
    first = next(record for record in lines.records if record.levelno == logging.WARNING)
    assert first.getMessage() == "503 Try again later. (/secret is locked)"


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("List should have at least 1 item after validation, not 0", "Must have at least 1 item, but has 0"),
        ("List should have at most 200 items after validation, not 201", "Must have at most 200 items, but has 201"),
        (
            r"String should match pattern '^[\x20-\x7e]+$'",
            "Only printable ASCII characters are allowed: letters, digits, signs and spaces",
        ),
        ("String should match pattern '^a$'", "String should match pattern '^a$'"),
        ("Field required", "Field required"),
    ],
)
def test_A08_a_validators_words_are_made_plain_where_there_are_plain_ones(said: str, plain: str) -> None:
    assert field_error({"type": "any", "loc": (), "msg": said}).message == plain


def test_A08_the_words_that_are_made_plain_are_those_that_the_validator_says(app: ModularApp) -> None:
    body = {"qty": 1, "ids": [], "key": "\u00e9", "few": [1, 2]}
    document = problem(app, "/api/v1/faulty/strict", 422, "POST", json.dumps(body).encode())
    assert {error["location"].removeprefix("body."): error["message"] for error in document["errors"]} == {
        "ids": "Must have at least 1 item, but has 0",
        "key": "Only printable ASCII characters are allowed: letters, digits, signs and spaces",
        "few": "Must have at most 1 item, but has 2",
    }


def test_A08_specs_tell_of_problems_and_of_nothing_else(app: ModularApp) -> None:
    document = call(app, "/api/v1/faulty/openapi.json").json()
    reference, invalid = "#/components/responses/Problem", "#/components/responses/ValidationProblem"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["responses"]["default"] == {"$ref": reference}
            takes_input = path in ("/orders", "/strict", "/refuse/{status}", "/waiting/{status}")
            assert ("422" in operation["responses"]) == takes_input, f"{method} {path}"
            assert not takes_input or operation["responses"]["422"] == {"$ref": invalid}
    for name in ("Problem", "ValidationProblem"):
        content = document["components"]["responses"][name]["content"]
        assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    schemas = document["components"]["schemas"]
    assert set(schemas["Problem"]["properties"]) == FIELDS | {"errors"}
    assert not {"HTTPValidationError", "ValidationError"} & schemas.keys()


@given(path=st.text(max_size=40), method=st.sampled_from(["GET", "POST", "DELETE", "PATCH"]))
def test_A08_no_path_makes_another_shape(app: ModularApp, path: str, method: str) -> None:
    scope = {"type": "http", "method": method, "path": f"/{path}", "query_string": b"", "headers": []}
    status, content_type = asgi_answer(app, {**scope, "scheme": "http", "client": None, "server": None})
    assert status in (404, 405)
    assert content_type == b"application/problem+json"


def asgi_answer(app: ModularApp, scope: Json) -> tuple[int, bytes]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    run_app(app, scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"])[b"content-type"]
