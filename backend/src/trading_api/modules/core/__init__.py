"""What every deployment offers, whatever else it serves."""

from trading_api.modules.core.service import CoreService
from trading_api.settings import Settings
from trading_api.shared.module import Module


class CoreModule(Module[CoreService]):
    """Health and versions. The documents of all modules are served beside it, where its traffic goes (A05)."""

    def create_service(self, settings: Settings) -> CoreService:  # noqa: ARG002 - needs none yet
        """A service that needs nothing."""
        return CoreService()
