"""Answers with content that browsers may keep, and with pages that may load nothing from elsewhere."""

import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

_POLICY = (
    "default-src 'none'; {script}; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
# Scripts come from files only, and nothing at all from another host. Swagger UI writes style attributes.
PLAIN_POLICY = _POLICY.format(script="style-src 'self'")
SCRIPT_POLICY = _POLICY.format(script="script-src 'self'; style-src 'self' 'unsafe-inline'")


def answer(
    request: Request, content: bytes, media_type: str, *, cache_control: str, headers: Mapping[str, str] | None = None
) -> Response:
    """`content`, or 304 to a client that says it has it."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    common = {"etag": etag, "cache-control": cache_control, "x-content-type-options": "nosniff", **(headers or {})}
    if _has(request, etag):
        return Response(status_code=304, headers=common)
    return Response(content, media_type=media_type, headers=common)


def page_answer(request: Request, page: str, policy: str) -> Response:
    """An HTML page under a Content-Security-Policy."""
    headers = {"content-security-policy": policy, "referrer-policy": "no-referrer"}
    return answer(request, page.encode(), "text/html", cache_control="no-cache", headers=headers)


def _has(request: Request, etag: str) -> bool:
    """Whether If-None-Match names `etag`, compared weakly as RFC 9110 wants it."""
    known = request.headers.get("if-none-match", "")
    return known.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in known.split(","))
