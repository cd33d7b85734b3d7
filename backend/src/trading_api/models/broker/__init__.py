"""What the broker says over the wire."""

from trading_api.models.broker.account import AccountInfo

__all__ = ["AccountInfo"]
