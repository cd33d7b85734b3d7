"""Where the datafeed is."""

from __future__ import annotations

from trading_api.settings import Settings

_MODULE, _VERSION = "datafeed", "v1"


def quotes_urls(settings: Settings) -> tuple[str, ...]:
    """The WebSocket URLs of the datafeed's instances: those of the settings, or else this very process.

    Empty when no datafeed is deployed, or this process does not listen (as in tests).
    """
    if settings.quotes_url:
        return tuple(url.strip() for url in settings.quotes_url.split(",") if url.strip())
    enabled = {choice.name for choice in settings.enabled_modules}
    if not settings.own_url or (enabled and _MODULE not in enabled):
        return ()
    return (f"{settings.own_url.replace('http', 'ws', 1)}{settings.base_url}/{_VERSION}/{_MODULE}/ws",)


def http_base(url: str) -> str:
    """Where an instance answers requests over HTTP, by its WebSocket URL: what is before the last slash."""
    return f"http{url.removeprefix('ws')}".rpartition("/")[0]
