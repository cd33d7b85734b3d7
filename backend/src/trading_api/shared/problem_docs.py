"""Tells of problems in an OpenAPI document, so that specs and clients know what an error looks like."""

from pydantic.json_schema import models_json_schema

from trading_api.shared.problems import MEDIA_TYPE, Problem
from trading_api.shared.specs.canonical import Json
from trading_api.shared.specs.operations import operations

# The shape FastAPI documents for invalid requests, which is not the one that is sent here.
_REPLACED_SCHEMAS = ("HTTPValidationError", "ValidationError")


def document_problems(document: Json) -> Json:
    """Add the problem schema and the reusable responses, and refer to them from every operation. In place."""
    components: Json = document.setdefault("components", {})
    schemas: Json = components.setdefault("schemas", {})
    for name in _REPLACED_SCHEMAS:
        schemas.pop(name, None)
    _, definitions = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
    schemas.update(definitions["$defs"])
    responses: Json = components.setdefault("responses", {})
    responses["Problem"] = _response("A problem.")
    validated = [_refer(operation["responses"]) for operation in operations(document)]
    if any(validated):
        responses["ValidationProblem"] = _response(
            "The request does not have the declared shape; `errors` lists the wrong places."
        )
    return document


def _refer(responses: Json) -> bool:
    """Name the problems in the responses of an operation. Whether it can be sent an invalid request."""
    validated = "422" in responses
    if validated:
        responses["422"] = {"$ref": "#/components/responses/ValidationProblem"}
    responses.setdefault("4XX", {"$ref": "#/components/responses/Problem"})
    responses["default"] = {"$ref": "#/components/responses/Problem"}
    return validated


def _response(description: str) -> Json:
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}
