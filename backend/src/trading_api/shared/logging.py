"""The log format of every server process (P13): one stream, standard output, one line per message, times in UTC."""

import logging
import sys
from datetime import UTC, datetime

from trading_api.shared.request_id import current_request_id

# What would start a new line or steer a terminal: C0, DEL, C1, and the two Unicode line ends.
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
_ESCAPES = {code: repr(chr(code))[1:-1] for code in _CONTROLS}
_TRACEBACK_ESCAPES = {code: text for code, text in _ESCAPES.items() if chr(code) not in "\n\t"}
# uvicorn tells of its own start and stop; the server says it better in one line (see `server`). Alembic lists its
# parts.
_QUIET = {
    "uvicorn": logging.WARNING,
    "watchfiles": logging.WARNING,
    "alembic": logging.WARNING,
    "asyncio": logging.INFO,
}


class LogFormatter(logging.Formatter):
    """`[2026-11-21T02:13:19.123Z] [INFO] logger: message request_id=…`; the id only while a request is served.

    A message cannot forge a line: its control characters are escaped. Tracebacks keep their lines, but none of them
    can look like the start of a message.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record, without a final newline."""
        time = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        message = record.getMessage().translate(_ESCAPES)
        line = f"[{time}.{int(record.msecs):03d}Z] [{record.levelname}] {record.name}: {message}"
        request_id = current_request_id()
        if request_id:
            line += f" request_id={request_id}"
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        details = [text for text in (record.exc_text, record.stack_info) if text]
        return "\n".join([line, *map(_contain, details)])


def configure_logging(level: str) -> None:
    """Send every logger's lines, uvicorn's too, to standard output; `level` is one of `settings.LOG_LEVELS`."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        # A lone surrogate or an ASCII terminal must not cost a log line.
        reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(LogFormatter())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(True)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(logging.NOTSET if level == "debug" else quiet)


def log_traceback(logger: logging.Logger, message: str, traceback: str) -> None:
    """Log an error of another process, whose traceback is known as text only."""
    if logger.isEnabledFor(logging.ERROR):
        record = logger.makeRecord(logger.name, logging.ERROR, __file__, 0, message, (), None)
        record.exc_text = traceback
        logger.handle(record)


def _contain(text: str) -> str:
    lines = text.translate(_TRACEBACK_ESCAPES).rstrip("\n").split("\n")
    return "\n".join(f" {line}" if line.startswith("[") else line for line in lines)
