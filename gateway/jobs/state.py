"""The stored state of a job: results of steps, cursors of pages, and its memory."""

from dataclasses import dataclass, field
from typing import Any, Self

from pydantic_core import to_jsonable_python

from gateway.exact_numbers import is_inexact
from gateway.json_codec import dump, load
from gateway.rows import Json

#: A quarter of what PocketBase stores in a JSON column of the queue.
MAX_BYTES = 500_000
#: The one member of a wrapped value.
_TEXT = "gateway:json"


class TooLarge(ValueError):
    """A value is larger than a job can store."""


@dataclass(slots=True)
class JobState:
    """The memory of a job between its attempts."""

    #: Results by the names of the steps.
    steps: Json = field(default_factory=dict)
    #: Id of the last record of the last finished page, by name.
    cursors: dict[str, str] = field(default_factory=dict)
    #: The function's own values.
    memory: Json = field(default_factory=dict)

    @classmethod
    def read(cls, stored: Any) -> Self:
        """Return the state of a row; of a new one, an empty state."""
        read = unwrap(stored)
        found = read if isinstance(read, dict) else {}
        return cls(**{name: dict(found.get(name) or {}) for name in cls.__slots__})

    def to_json(self) -> Json:
        """Return the JSON to store.

        Raises:
            TooLarge: the results of the steps and the memory have more than `MAX_BYTES` together.
            ValueError: JSON can't represent a value of the memory.
        """
        memory = to_json(self.memory)
        found = {"steps": self.steps, "cursors": self.cursors, "memory": memory}
        check_size(found, "the results of the steps and the memory")
        wrapped: Json = wrap(found)
        return wrapped


def to_json(value: Any) -> Any:
    """Return a value as JSON stores it, so that a first and a resumed run see the same.

    Raises:
        ValueError: JSON can't represent the value.
    """
    return load(dump(to_jsonable_python(value), errors="strict"), is_exact=True)


def wrap(value: Any) -> Any:
    """Return a JSON value for a hidden column; as text if it has an integer beyond 2⁵³.

    PocketBase's hooks read numbers as floats, and would change such an integer.
    """
    is_like_wrapped = isinstance(value, dict) and value.keys() == {_TEXT}
    return {_TEXT: dump(value).decode()} if is_like_wrapped or is_inexact(value) else value


def unwrap(stored: Any) -> Any:
    """Return the value that `wrap` was given."""
    is_wrapped = isinstance(stored, dict) and stored.keys() == {_TEXT}
    return load(stored[_TEXT], is_exact=True) if is_wrapped else stored


def check_size(value: Any, what: str) -> None:
    """Check that a JSON value can be stored.

    Raises:
        TooLarge: it has more than `MAX_BYTES` as text.
    """
    size = len(dump(value))
    if size > MAX_BYTES:
        raise TooLarge(f"{what} have {size} bytes as JSON; at most {MAX_BYTES} can be stored")
