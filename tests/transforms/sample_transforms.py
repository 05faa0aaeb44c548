"""A module as users write it, for the tests of this folder: transforms of `notes` and others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import BaseModel, Field, field_validator, model_validator

from gateway import Gateway
from gateway.transforms import FieldErrors, Refused, Transform, TransformContext


class NoteInput(BaseModel):
    """A note as it comes in."""

    title: str = Field(min_length=3, max_length=80)
    body: str = ""
    slug: str = ""
    count: int = Field(default=0, ge=0)
    tags: list[str] = Field(default_factory=list)
    kind: str = "plain"

    @field_validator("title")
    @classmethod
    def _trim(cls, value: str) -> str:
        return " ".join(value.split())

    @model_validator(mode="after")
    def _check_kind(self) -> "NoteInput":
        if self.kind == "secret" and self.tags:
            raise ValueError("a secret note has no tags")
        return self


class _Other(BaseModel):
    number: int


def prepare_note(incoming: NoteInput, context: TransformContext) -> NoteInput:
    """Trim the title, make a slug of it, and do what the title asks for."""
    if incoming.title == "forbidden":
        raise Refused("This title is reserved.", status=403)
    if incoming.title == "taken":
        raise FieldErrors({"title": ("title_taken", "Choose another title.")})
    if incoming.title == "broken":
        raise RuntimeError("the password of the database is hunter2")
    if incoming.title == "misread":
        _Other.model_validate({"number": incoming.body})
    slug = incoming.title.lower().replace(" ", "-")
    return incoming.model_copy(update={"slug": slug})


def keep_locked(incoming: dict[str, Any], context: TransformContext) -> None:
    """Refuse to delete what is locked."""
    if context.original and context.original["title"] == "locked":
        raise Refused("A locked note stays.", status=403)


async def wait(incoming: dict[str, Any], context: TransformContext) -> dict[str, Any]:
    """Never end."""
    await asyncio.Event().wait()
    return {}


def welcome(incoming: dict[str, Any], context: TransformContext) -> dict[str, Any]:
    """Trim a new member's name; refuse the name root, and one domain."""
    if str(incoming["email"]).endswith("@blocked.example"):
        raise FieldErrors({"email": ("email_blocked", "Use another address.")})
    if incoming["name"] == "root":
        raise FieldErrors({"name": ("name_reserved", "Choose another name.")})
    return {"name": " ".join(incoming["name"].split())}


def describe(incoming: dict[str, Any], context: TransformContext) -> dict[str, Any]:
    """Write down what the function was given."""
    seen = {
        "operation": context.operation,
        "incoming": {name: value for name, value in incoming.items() if name != "seen"},
        "original": context.original,
        "user": context.user,
        "sent": sorted(context.sent),
        "files": {
            name: [
                (file.name, file.original_name, file.size, file.content and file.content.decode())
                for file in files
            ]
            for name, files in context.files.items()
        },
        "own": context.state["own"],
        "large": 2**53 + 1,
    }
    return {"seen": seen}


@asynccontextmanager
async def open_shared(app: Gateway) -> AsyncIterator[dict[str, str]]:
    """Open what the functions share."""
    yield {"own": f"opened for {app.settings.pocketbase_superuser_email}"}


TRANSFORMS = (
    Transform("notes", {"create", "update"}, prepare_note, NoteInput, may_come_later=True),
    Transform("notes", {"delete"}, keep_locked, may_come_later=True),
    Transform("slow_closed", {"create"}, wait, timeout=0.2, may_come_later=True),
    Transform("slow_open", {"create"}, wait, timeout=0.2, on_failure="open", may_come_later=True),
    Transform("members", {"create"}, welcome, may_come_later=True),
    Transform("mirrors", {"create", "update"}, describe, may_come_later=True),
    Transform("albums", {"create"}, describe, files=True, may_come_later=True),
)

app = Gateway(lifespan=open_shared)
for _transform in TRANSFORMS:
    app.add_transform(_transform)
