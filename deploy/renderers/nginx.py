"""Plan → nginx.conf (N01 to N05, N08)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.artifact import Artifact
from deploy.plan import Plan
from deploy.renderers import nginx_text, templates

# What is left of the grace for nginx itself, after its workers have drained.
_DRAIN_MARGIN_S = 0.5


@dataclass(frozen=True)
class _Problem:
    """An error that the gateway itself answers: the status sent, for which of nginx's codes, and the words."""

    status: int
    title: str
    detail: str
    codes: tuple[int, ...]


def _problem(status: int, title: str, detail: str, *more_codes: int) -> _Problem:
    return _Problem(status, title, detail, (status, *more_codes))


# nginx's own codes: 494 is an oversized header. A request that does not arrive in time (408) gets no answer from nginx.
# The words may hold no quotes: they stand inside JSON inside nginx. A wrong path is told in the servers' own words.
_PROBLEMS = (
    _problem(400, "Bad Request", "The request is not valid HTTP."),
    _problem(404, "Not Found", "There is nothing at this path."),
    _problem(405, "Method Not Allowed", "The gateway does not take this method."),
    _problem(413, "Content Too Large", "The request body is larger than this gateway takes."),
    _problem(414, "URI Too Long", "The request line is longer than this gateway takes."),
    _problem(431, "Request Header Fields Too Large", "The request headers are larger than this gateway takes.", 494),
    _problem(500, "Internal Server Error", "The gateway failed; its error log says why."),
    _problem(501, "Not Implemented", "The gateway does not know this transfer encoding."),
    _problem(502, "Bad Gateway", "The server behind the gateway is not there or broke the connection; try again."),
    _problem(503, "Service Unavailable", "The gateway is busy; try again."),
    _problem(504, "Gateway Timeout", "The server behind the gateway did not answer in time."),
    _problem(505, "HTTP Version Not Supported", "The gateway takes HTTP/1.0 and HTTP/1.1."),
)


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


_FILTERS: dict[str, Callable[..., str]] = {
    "quote": lambda value: nginx_text.quote(str(value)),
    "map_key": nginx_text.map_key,
    "comment": _comment,
    "milliseconds": lambda seconds: str(round(seconds * 1000)),
}


def render(plan: Plan) -> Artifact:
    """`.local/etc/nginx.conf`."""
    text = templates.render(
        "nginx",
        "nginx.conf.j2",
        _FILTERS,
        layout=plan.layout,
        gateway=plan.gateway,
        root_user=plan.root_user,
        access_log=_access_log(plan.layout.access_log),
        drain=max(plan.grace - _DRAIN_MARGIN_S, 0.1),
        problems=_PROBLEMS,
        query_paths=[query.path for query in plan.gateway.queries],
        several=[upstream for upstream in plan.gateway.upstreams if len(upstream.endpoints) > 1],
        websocket_headers=templates.render("nginx", "websocket.conf.j2", {}).rstrip("\n"),
    )
    return Artifact(plan.layout.nginx_conf, text)


def _access_log(path: Path) -> str:
    """`access_log` knows variables and has no escape for `$`: there the name is relative to nginx's prefix (`-p`)."""
    return "logs/nginx-access.log" if "$" in str(path) else nginx_text.literal(str(path))
