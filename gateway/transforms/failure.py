"""Errors of a transform's code: logged with a traceback; the client gets a 500 without details."""

import logging

from pydantic import ValidationError

from gateway.rows import Json

_log = logging.getLogger(__name__)


def fail(error: BaseException, item: Json) -> Json:
    """Log an error with its traceback, and return the transform result ``failed``."""
    _log.error(
        "transform failed",
        exc_info=_without_values(error),
        extra={"collection": item["collection"], "operation": item["operation"]},
    )
    return {"failed": "error"}


def _without_values(error: BaseException) -> BaseException:
    """Return the error without the input values that Pydantic's text repeats."""
    if not isinstance(error, ValidationError):
        return error
    places = sorted({".".join(map(str, item["loc"])) for item in error.errors()})
    shown = ValueError(f"{error.title}: {error.error_count()} errors: {', '.join(places)}")
    return shown.with_traceback(error.__traceback__)
