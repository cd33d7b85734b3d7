"""The one way in which a document becomes text: equal documents give equal bytes, in any process."""

import json
from typing import Any

Json = dict[str, Any]


def render_json(document: object) -> str:
    """`document` as JSON text: keys sorted, two spaces of indent, a newline at the end."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def fingerprint(value: object) -> str:
    """`value` as compact text that differs where JSON differs: unlike for `==`, 1, 1.0 and true are three values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
