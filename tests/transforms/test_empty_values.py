"""PocketBase's empty values in required fields of a model, and the client's error."""

from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, HttpUrl, ValidationError, field_validator

from gateway import BLANK_AS_NONE
from gateway.transforms.validation import describe

_BLANK = ("validation_required", "Cannot be blank.")


class Meeting(BaseModel):
    """A field of each kind."""

    at: datetime
    seats: int
    kind: Literal["call", "visit"]
    link: HttpUrl
    title: str = Field(min_length=1)
    room: str

    @field_validator("room")
    @classmethod
    def check(cls, room: str) -> str:
        """Refuse every room."""
        raise ValueError("choose a room")


class Draft(BaseModel):
    """An empty date is None."""

    at: Annotated[datetime | None, BLANK_AS_NONE] = None


def _describe(**values: Any) -> dict[str, tuple[str, str]]:
    with pytest.raises(ValidationError) as refused:
        Meeting.model_validate(values)
    return describe(refused.value)[0]


def test_an_empty_value_is_described_as_pocketbase_does() -> None:
    """Texts and a team's own messages are as before."""
    found = _describe(at="", seats="", kind="", link="", title="", room="")
    assert [name for name, error in found.items() if error == _BLANK] == [
        "at",
        "seats",
        "kind",
        "link",
    ]
    assert found["title"][0] == "validation_string_too_short"
    assert found["room"] == ("validation_value_error", "Choose a room.")


def test_a_wrong_value_has_its_own_message() -> None:
    """Only empty ones are blank."""
    found = _describe(at="soon", seats="x", kind="z", link="x", title="A", room="1")
    assert _BLANK not in found.values()


def test_blank_as_none_accepts_an_empty_date() -> None:
    """A date that may be missing."""
    assert Draft.model_validate({"at": ""}).at is None
