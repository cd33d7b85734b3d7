"""The OpenAPI 3.1 document of one version of a module."""

from collections.abc import Mapping

from trading_api.shared.problem_docs import document_problems
from trading_api.shared.specs.canonical import Json
from trading_api.shared.specs.info import info, openapi_license
from trading_api.shared.specs.operations import operations


def completed(document: Json, tags: Mapping[str, str]) -> Json:
    """FastAPI's `document` with what strict readers want to know: license, problems, tags. Done twice, it is as once.

    `tags` describes tags by name; one that is used and not described gets a general description.
    """
    about = document["info"]
    used = sorted({tag for operation in operations(document) for tag in operation.get("tags", ())})
    found = {
        **document,
        "info": {**info(about["title"], about["version"], about.get("description", "")), "license": openapi_license()},
        # The API has no authentication yet: said explicitly, so that nobody has to guess.
        "security": [],
        "tags": [{"name": tag, "description": tags.get(tag) or f"Routes about {tag}."} for tag in used],
    }
    return document_problems(found)


def served_at(document: Json, url: str) -> Json:
    """`document` with the address of its server: a path such as `/api/v1/broker`; empty is the root."""
    return {**document, "servers": [{"url": url or "/"}]}
