"""What every document says of itself."""

from inspect import cleandoc

from trading_api.shared.specs.canonical import Json

DEFAULT_BASE_URL = "/api"
"""The base URL in committed files, whatever the deployment that wrote them."""


def info(title: str, version: str, description: str) -> Json:
    """The `info` object of an OpenAPI or AsyncAPI document, without its license."""
    return {"title": title, "version": version, "description": cleandoc(description)}


def openapi_license() -> Json:
    """MIT, as OpenAPI 3.1 writes it."""
    return {"name": "MIT", "identifier": "MIT"}


def asyncapi_license() -> Json:
    """MIT, as AsyncAPI 3.0 writes it."""
    return {"name": "MIT", "url": "https://spdx.org/licenses/MIT.html"}
