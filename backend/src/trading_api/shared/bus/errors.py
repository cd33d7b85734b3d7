"""What can go wrong on the bus. No message holds a token, or what another process raised."""


class BusError(Exception):
    """The bus did not do what was asked."""


class BusUnavailable(BusError):
    """There is no connection, or it went while the call waited: whether anybody got the message is unknown."""


class BusTimeout(BusError):
    """No answer in time: whether the request was carried out is unknown."""


class NoResponder(BusError):
    """Nobody serves this subject now, so nothing was done."""


class ResponderFailed(BusError):
    """The one who serves this subject raised an error, which is in its log."""


class ResponderBusy(BusError):
    """The one who serves this subject has as many requests under way as it takes; nothing was done."""


class MessageTooLarge(BusError):
    """More than `MAX_MESSAGE` bytes; nothing was sent."""


class SubjectError(BusError, ValueError):
    """A subject that is not dot-separated tokens, or one with wildcards where there may be none."""


class BusUrlError(ValueError):
    """A URL that names no bus."""


class TokenError(BusError):
    """The file with the token is not there, is empty, or others may read it. Nothing was sent to the server."""
