"""What every deployment offers, whatever else it serves."""

from trading_api.modules.core.service import CoreService
from trading_api.settings import Settings
from trading_api.shared.module import Module


class CoreModule(Module[CoreService]):
    """The common features: health and versions, and later the merged specs and docs."""

    def create_service(self, settings: Settings) -> CoreService:  # noqa: ARG002 - needs none yet
        """A service that needs nothing."""
        return CoreService()
