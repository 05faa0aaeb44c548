"""Structured logs with structlog: one line per event, with keys, as logfmt or JSON.

Lines never contain payloads, tokens or addresses. Modules, uvicorn and other libraries log through
`logging`, with their keys in ``extra``. Lines per delivery or write go to structlog directly, at a
third of the cost.
"""

import asyncio
import logging
import re
import sys
from contextlib import suppress
from typing import Literal, TextIO

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.types import EventDict, Processor, WrappedLogger

from gateway.http.request_id import current_request_id

Format = Literal["logfmt", "json"]


def open_logs(level: str, form: Format = "logfmt") -> None:
    """Send the lines of structlog and of all `logging` loggers to standard error."""
    # Don't look up the caller, thread, process and task, which no line contains.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    if hasattr(logging, "logAsyncioTasks"):  # Python 3.12
        logging.logAsyncioTasks = False
    handler = logging.StreamHandler()
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.processors.EventRenamer("msg"), ExtraAdder()],
            processors=[_remove_internals, *_end(form)],
        )
    )
    handler.addFilter(_is_own_words)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    structlog.configure(
        # In structlog `event` is the message; in our lines it is the id of Stripe's event.
        processors=[structlog.processors.EventRenamer("msg", "event_id"), *_end(form)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Lines(sys.stderr),
        cache_logger_on_first_use=True,
    )


#: Messages of uvicorn and websockets with the address, query and headers of a handshake.
_HANDSHAKE = ("< ", "> ", "! ", '%s - "WebSocket ')


def _is_own_words(record: logging.LogRecord) -> bool:
    """Return whether a line does not repeat what a client has sent."""
    is_server = record.name == "uvicorn.error" and isinstance(record.msg, str)
    return not (is_server and record.msg.startswith(_HANDSHAKE))


class _Lines:
    """Writes the lines of one event loop iteration at once, because deliveries end in batches.

    Errors (full disk, closed pipe) lose lines instead of failing a request.
    """

    def __init__(self, stream: TextIO | None) -> None:
        #: None if the process has no standard error.
        self._stream = stream
        self._waiting: list[str] = []

    def write(self, line: str) -> None:
        """Write one line, now or at the end of this iteration."""
        self._waiting.append(line)
        if len(self._waiting) > 1:
            return
        try:
            asyncio.get_running_loop().call_soon(self._flush)
        except RuntimeError:
            self._flush()

    def _flush(self) -> None:
        lines, self._waiting = self._waiting, []
        if self._stream is None:
            return
        with suppress(OSError, ValueError):
            self._stream.write("\n".join([*lines, ""]))
            self._stream.flush()

    debug = info = warning = error = critical = write


def _end(form: Format) -> list[Processor]:
    """Return the processors of all lines."""
    common: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _add_request_id,
        structlog.processors.format_exc_info,
        _hide_values,
    ]
    if form == "json":
        return [*common, _put_message_first, _mask_before(structlog.processors.JSONRenderer())]
    return [*common, _mask_before(_render_logfmt)]


def _remove_internals(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Remove the keys that `ProcessorFormatter` and uvicorn add for renderers."""
    for key in ("_record", "_from_structlog", "color_message"):
        event.pop(key, None)
    return event


def _add_request_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if request_id := current_request_id():
        event["request"] = request_id
    return event


def _put_message_first(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    first = {name: event.pop(name) for name in ("time", "level", "msg")}
    return first | dict(event)


#: Pydantic's representation of an invalid value, and FastAPI's, which ends the line.
_VALUE = re.compile(r"(input_value=).*(?=, input_type=)|('input': ).*$", re.MULTILINE)


def _hide_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Remove the values that validation errors repeat, in tracebacks and reasons."""
    for name in ("exception", "reason"):
        if "input" in str(event.get(name, "")):
            event[name] = _VALUE.sub(r"\1\2…", str(event[name]))
    return event


#: Passwords in URLs, mail addresses, PocketBase's tokens, Stripe's keys, webhook and client
#: secrets, and credentials of an Authorization header.
_SECRETS = re.compile(
    r"(?<=://)[^\s/@]{1,256}@|[\w.!#$%&'*+?^`{|}~-]{1,64}@[\w.-]+"
    r"|eyJ[\w-]{5,}[\w.-]*|\b(?:sk|rk|whsec)_\w{4,}|(?<=_secret_)\w{4,}"
    r"|(?<=\bBearer )[\w.~+/=-]{4,}|(?<=\bBasic )[\w+/=]{8,}"
)
_SECRET_MARKS = ("@", "eyJ", "sk_", "rk_", "whsec_", "_secret_", "Bearer ", "Basic ")


def _mask_before(render: Processor) -> Processor:
    """Return a renderer that masks secrets and addresses, which exceptions may repeat."""

    def render_masked(logger: WrappedLogger, name: str, event: EventDict) -> str:
        line = str(render(logger, name, dict(event)))
        if not any(mark in line for mark in _SECRET_MARKS):
            return line
        masked = {key: _mask(value) for key, value in event.items()}
        return str(render(logger, name, masked))

    return render_masked


def _mask(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    return mask(str(value))


def mask(text: str) -> str:
    """Replace secrets and mail addresses in a text by ``<masked>``."""
    return _SECRETS.sub("<masked>", text)


def _render_logfmt(_: WrappedLogger, __: str, event: EventDict) -> str:
    """Render ``key=value`` pairs, and a traceback on the lines below.

    structlog's own renderer takes three times as long and does not escape control characters.
    """
    traceback = event.pop("exception", "")
    line = f"time={event.pop('time')} level={event.pop('level')} msg={_quote(event.pop('msg'))}"
    texts = list(map(str, event.values()))
    if "" in texts or not _is_plain("".join(texts)):
        texts = list(map(_quote, texts))
    line = " ".join([line, *map("=".join, zip(event, texts, strict=True))])
    return f"{line}\n{traceback}" if traceback else line


_is_plain = re.compile(r"[\w.:/+-]+", re.ASCII).fullmatch


def _quote(value: str) -> str:
    """Quote a value on one line, so that a request's path can't forge another line."""
    if _is_plain(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    if not escaped.isprintable():
        escaped = "".join(map(_show, escaped))
    return f'"{escaped}"'


def _show(character: str) -> str:
    return character if character.isprintable() else f"\\u{ord(character):04x}"
