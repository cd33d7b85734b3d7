"""From settings to a bus."""

from trading_api.shared.bus.bus import Bus
from trading_api.shared.bus.memory import MemoryBus


def open_bus(url: str, token_file: str = "") -> Bus:
    """The bus at `url`: empty: in memory; `nats://host:port` or `tls://host:port` (several with commas between): NATS.

    `token_file`: the path of a 0600 file that holds the token; empty: none. Opens nothing yet (`connect` does). Raises
    BusUrlError.
    """
    if not url:
        return MemoryBus()
    # A process with its bus in memory needs neither the time nor the memory that nats-py costs.
    from trading_api.shared.bus.nats_bus import NatsBus
    from trading_api.shared.bus.nats_url import read_urls

    return NatsBus(read_urls(url), token_file)
