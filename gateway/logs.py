"""Log lines as logfmt: time, level, message and keys; never payloads, tokens or addresses."""

import logging
import re
from datetime import UTC, datetime
from functools import lru_cache

from gateway.request_id import current_request_id

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class LogfmtFormatter(logging.Formatter):
    """Writes what is given as ``extra`` as ``key=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and a traceback behind it if there is one."""
        moment = f"{_format(int(record.created))}.{int(record.msecs):03}Z"
        fields = {"time": moment, "level": record.levelname.lower(), "msg": record.getMessage()}
        fields |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if request_id := current_request_id():
            fields["request"] = request_id
        line = " ".join(f"{key}={_quote(str(value))}" for key, value in fields.items())
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


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
    handler = logging.StreamHandler()
    handler.setFormatter(LogfmtFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
