"""How users prove who they are, in the OpenAPI document of a module that needs them."""

from trading_api.shared.specs.canonical import Json
from trading_api.shared.users.credentials import COOKIE

_SCHEMES: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token of the user."},
    "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "The same token, from a browser."},
}


def secured(document: Json) -> Json:
    """`document` with both ways, and none: a deployment without users asks for nothing, and has the same document."""
    components = {**document.get("components", {}), "securitySchemes": _SCHEMES}
    return {**document, "components": components, "security": [{}, {"bearer": []}, {"cookie": []}]}
