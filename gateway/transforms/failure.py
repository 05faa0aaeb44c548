"""Errors of a transform's code: logged with a traceback; the client gets a 500 without details."""

import logging
import traceback
from pathlib import Path

from pydantic import ValidationError

from gateway.rows import Json

_log = logging.getLogger(__name__)
_PACKAGE = Path(__file__).parents[1]


def fail(error: BaseException, item: Json) -> Json:
    """Log an error with its traceback, and return the transform result ``failed``.

    Its ``cause`` is for `gateway transforms run`; PocketBase does not show it to clients.
    """
    shown = _without_values(error)
    _log.error(
        "transform failed",
        exc_info=shown,
        extra={"collection": item["collection"], "operation": item["operation"]},
    )
    return {"failed": "error", "cause": _describe(shown)}


def _describe(error: BaseException) -> str:
    """Return the error with the innermost line of the team's code."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not Path(frame.filename).is_relative_to(_PACKAGE)
        and "site-packages" not in frame.filename
    ]
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"The transform failed: {type(error).__name__}: {error}{place}"


def _without_values(error: BaseException) -> BaseException:
    """Return the error without the input values that Pydantic's text repeats."""
    if not isinstance(error, ValidationError):
        return error
    places = sorted({".".join(map(str, item["loc"])) for item in error.errors()})
    shown = ValueError(f"{error.title}: {error.error_count()} errors: {', '.join(places)}")
    return shown.with_traceback(error.__traceback__)
