"""Log lines as logfmt: time, level, message and keys; never payloads, tokens or addresses."""

import logging
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO

from gateway.request_id import current_request_id

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class LogfmtFormatter(logging.Formatter):
    """Writes what is given as ``extra`` as ``key=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and a traceback behind it if there is one."""
        given = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        line = _compose(record.created, record.levelname, record.getMessage(), given)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _Lines(logging.StreamHandler[TextIO]):
    """Writes to standard error; lines as well, that were composed without a record."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(LogfmtFormatter())

    def write(self, line: str) -> None:
        # What was done is done, whether or not it can be told: a full disk, a closed pipe.
        with suppress(OSError, ValueError):
            self.stream.write(line + self.terminator)
            self.flush()


def note(logger: logging.Logger, message: str, **given: Any) -> None:
    """Log what ``logger.info(message, extra=given)`` does, at half the cost: for every delivery.

    Handlers and filters are looked for at the root logger only.
    """
    if not logger.isEnabledFor(logging.INFO):
        return
    handlers = logging.root.handlers
    if len(handlers) == 1 and isinstance(handlers[0], _Lines):
        handlers[0].write(_compose(time.time(), "INFO", message, given))
    else:  # Somebody else listens, to records.
        logger.info(message, extra=given)


def _compose(created: float, level: str, message: str, given: Mapping[str, Any]) -> str:
    moment = f"{_format(int(created))}.{int(created % 1 * 1000):03}Z"
    line = f"time={moment} level={_quote(level.lower())} msg={_quote(message)}"
    for key, value in given.items():
        line += f" {key}={_quote(str(value))}"
    if request_id := current_request_id():
        line += f" request={_quote(request_id)}"
    return line


@lru_cache(maxsize=1)
def _format(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


_is_plain = re.compile(r"[\w.:/+-]+", re.ASCII).fullmatch


def _quote(value: str) -> str:
    """A value on one line: a path that a stranger asks for must not forge another."""
    if _is_plain(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(map(_show, escaped))}"'


def _show(character: str) -> str:
    return character if character.isprintable() else f"\\u{ord(character):04x}"


def open_logs(level: str) -> None:
    """Send every logger's lines to standard error."""
    # What no line shows need not be found out: where it was logged, by which thread and task.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    if hasattr(logging, "logAsyncioTasks"):  # Python 3.12
        logging.logAsyncioTasks = False
    logging.basicConfig(level=level, handlers=[_Lines()], force=True)
