"""Tells of problems in an OpenAPI document, so that specs and clients know what an error looks like."""

from typing import Any

from pydantic.json_schema import models_json_schema

from trading_api.shared.problems import MEDIA_TYPE, Problem

Json = dict[str, Any]
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# The shape FastAPI documents for invalid requests, which is not the one that is sent here.
_REPLACED_SCHEMAS = ("HTTPValidationError", "ValidationError")


def document_problems(document: Json) -> Json:
    """Add the problem schema and two reusable responses, and refer to them from every operation. In place."""
    components: Json = document.setdefault("components", {})
    schemas: Json = components.setdefault("schemas", {})
    for name in _REPLACED_SCHEMAS:
        schemas.pop(name, None)
    _, definitions = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
    schemas.update(definitions["$defs"])
    components.setdefault("responses", {}).update(
        Problem=_response("A problem."),
        ValidationProblem=_response("The request does not have the declared shape; `errors` lists the wrong places."),
    )
    for path in document.get("paths", {}).values():
        for method in _METHODS:
            _refer(path.get(method, {}).get("responses"))
    return document


def _refer(responses: Json | None) -> None:
    if responses is None:
        return
    if "422" in responses:
        responses["422"] = {"$ref": "#/components/responses/ValidationProblem"}
    responses["default"] = {"$ref": "#/components/responses/Problem"}


def _response(description: str) -> Json:
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}
