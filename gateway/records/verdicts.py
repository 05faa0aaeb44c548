"""What a transform may say instead of returning values: errors of fields, or a refusal."""

from collections.abc import Mapping
from typing import Literal


class FieldErrors(Exception):
    """Some values are not valid: PocketBase's SDKs show each at its field."""

    def __init__(self, errors: Mapping[str, tuple[str, str]]) -> None:
        """Say what is wrong.

        Args:
            errors: by field, a code such as ``validation_required`` and a sentence for people.
        """
        super().__init__(", ".join(errors))
        self.errors = dict(errors)


class Refused(Exception):
    """The whole request is refused, whatever its values."""

    def __init__(self, message: str, status: Literal[400, 403] = 400) -> None:
        """Say why.

        Args:
            message: a sentence for people; it reaches the client.
        """
        super().__init__(message)
        self.message = message
        self.status = status
