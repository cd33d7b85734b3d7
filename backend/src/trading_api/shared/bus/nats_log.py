"""What the log is told of the connection: one line when it goes, one when it is back."""

import logging

logger = logging.getLogger(__name__)


class ConnectionLog:
    """Says each thing once, however many attempts fail."""

    def __init__(self) -> None:
        self._told = ""

    def failed(self, url: str, reason: str, *, refused: bool) -> None:
        """An attempt failed. Unless the server refused us, that is no news while the connection is known to be lost."""
        if reason != self._told and (refused or not self._told):
            logger.warning("no connection to the bus at %s: %s; trying again", url, reason)
            self._told = reason

    def connected(self, url: str) -> None:
        """It is there, and every subscription is in effect."""
        logger.info("connected to the bus at %s%s", url, " again" if self._told else "")
        self._told = ""

    def lost(self, url: str, reason: str) -> None:
        """It is gone."""
        if reason != self._told:
            logger.warning("lost the bus at %s: %s; trying again", url, reason)
            self._told = reason
