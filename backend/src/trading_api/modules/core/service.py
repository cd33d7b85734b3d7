"""The work of the core module."""

from trading_api.shared.service import Service


class CoreService(Service):
    """Healthy for as long as the process answers: it depends on nothing."""
