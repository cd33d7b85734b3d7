"""What a topic is called on the wire (W02)."""

import json


def topic_name(route: str, fields: object) -> str:
    """`route:` and the compact JSON of what the request sets: keys sorted, Unicode unescaped.

    >>> topic_name("bars", {"symbol": "AAPL", "resolution": "1"})
    'bars:{"resolution":"1","symbol":"AAPL"}'
    """
    return f"{route}:{json.dumps(fields, ensure_ascii=False, separators=(',', ':'), sort_keys=True)}"
