"""Who asks: decided here for REST and WebSocket alike, and nowhere else."""

from trading_api.shared.users.identity import AskingUser, Identity, identity_of, user_of
from trading_api.shared.users.user import DEFAULT_USER, User

__all__ = ["DEFAULT_USER", "AskingUser", "Identity", "User", "identity_of", "user_of"]
