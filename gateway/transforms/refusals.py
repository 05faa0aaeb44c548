"""Exceptions that a transform raises to refuse a write: errors per field, or one message."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

RefusalStatus = Literal[400, 403]


class FieldErrors(Exception):
    """Some values are not valid: the client gets PocketBase's ``data`` with an error per field."""

    def __init__(self, errors: Mapping[str, tuple[str, str]]) -> None:
        """Create the exception.

        Args:
            errors: by field, a code such as ``validation_required`` and a message for users.

        Raises:
            ValueError: `errors` is empty or has another shape, which clients could not read.
        """
        found = dict(errors)
        for field, error in found.items():
            if not _is_text(field) or not _is_error(error):
                raise ValueError(f"the error of {field!r} must be a code and a message, both text")
        if not found:
            raise ValueError("FieldErrors needs at least one field")
        super().__init__(", ".join(found))
        self.errors = found


class Refused(Exception):
    """The whole request is refused, not single values."""

    def __init__(self, message: str, status: RefusalStatus = 400) -> None:
        """Create the exception.

        Args:
            message: a sentence for users; the client receives it.
            status: the HTTP status.

        Raises:
            ValueError: the message is empty or not a string, or the status is another one.
        """
        if not _is_text(message):
            raise ValueError("the message must be a sentence")
        if status not in get_args(RefusalStatus):
            raise ValueError(f"the status must be 400 or 403, not {status!r}")
        super().__init__(message)
        self.message = message
        self.status = status


def _is_error(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and all(map(_is_text, value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
