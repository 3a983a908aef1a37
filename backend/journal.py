"""The server's log: one JSON object a line on standard error, without payloads, tokens, names or paths of requests.

What another library logs is kept as its template ("Task queue depth is %d"), without the arguments, which may quote a
request.
"""

import logging
import sys
import traceback
from pathlib import Path
from typing import Any

import orjson
import structlog


def configure() -> None:
    """Sends structlog and the standard library's logging to standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Templates()], level=logging.WARNING, force=True)


def describe(error: BaseException) -> dict[str, Any]:
    """What the log may keep of an unexpected error: its kind and where it came from, not its message."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "at": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }


class _Templates(logging.Handler):
    """The standard library's records, as the template they were made from."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger().log(
            record.levelno, str(record.msg), logger=record.name, **(describe(error) if error else {})
        )
