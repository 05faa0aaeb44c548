"""Values that PocketBase can't take, refused before anything is sent."""

import math

from gateway.errors import InvalidRequest


class InvalidValue(InvalidRequest, ValueError):
    """PocketBase can't take this value."""

    kind = InvalidRequest


def check_text(text: str) -> str:
    """Return a text that UTF-8 can express.

    Raises:
        InvalidValue: it has a lone surrogate.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidValue("A text has a lone surrogate, which is not a character.") from error
    return text


def check_number(value: float) -> float:
    """Return a number that JSON can have.

    Raises:
        InvalidValue: it is infinite or not a number.
    """
    if not math.isfinite(value):
        raise InvalidValue(f"{value} is not a number that PocketBase can have.")
    return value
