"""Request and response models of /admin/work."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from gateway.http.response_types import DateTime, Empty, RecordId, ResponseModel, Text
from gateway.pocketbase.contracts.work import Status, WorkStatus
from gateway.rows import Json

_Id = Annotated[str, Field(max_length=100)]
_Name = Annotated[str, Field(max_length=510)]
#: Not validated at run time, as `RecordId`.
_Owner = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^(_superusers/)?[a-z0-9]{15}$",
            "description": "The id of a user, or `_superusers/` and the id of a superuser.",
        }
    ),
]


class WorkListing(BaseModel):
    """The items to list."""

    model_config = ConfigDict(extra="forbid")

    status: Status | None = Field(default=None, examples=["parked"])
    handler: _Name | None = Field(default=None, examples=["mail"])
    limit: int = Field(default=50, ge=1, le=500)


class WorkItemRow(ResponseModel):
    """An item of background work."""

    id: RecordId = Field(examples=["k2m7x0v9p4q1r8s"])
    kind: str = Field(examples=["event"], description="event, record, job, tick or task.")
    handler: str = Field(examples=["shop.events.fulfil"])
    status: Status
    error: Empty | Text = Field(examples=["HTTPStatusError: 503"])
    source: Empty | Text = Field(
        examples=["evt_1SWbVhLkdIwHu7ix"], description="The event, record or schedule."
    )
    attempts: int = Field(examples=[3])
    tries: int = Field(examples=[20], description="Attempts before it is parked; 0 for no limit.")
    user: Empty | _Owner = Field(examples=[""])
    created: str = Field(examples=["2026-11-23 09:30:00.000Z"])
    due: Empty | DateTime = Field(examples=["2026-11-23 09:31:00.000Z"])
    completed_at: Empty | DateTime = Field(examples=[""])

    @classmethod
    def of(cls, row: Json) -> Self:
        """Return the model of an item's record."""
        return cls.model_validate(row)


class WorkItemDetail(WorkItemRow):
    """An item with its values."""

    payload: Any = Field(default=None, examples=[{"kind": "receipt"}])
    progress: Any = None
    state: Any = None
    result: Any = None


class WorkPage(ResponseModel):
    """Items, newest first."""

    items: list[WorkItemRow]


class WorkCount(ResponseModel):
    """The number of items of one handler in one status."""

    handler: str = Field(examples=["mail"])
    status: str = Field(examples=["parked"], description="waiting, running or parked.")
    number: int = Field(examples=[2])
    due: Empty | DateTime = Field(
        examples=["2026-11-23 09:31:00.000Z"], description="The earliest due time."
    )


class WorkSummary(ResponseModel):
    """The state of the queue."""

    parked: int = Field(examples=[2], description="Items that need a decision.")
    counts: list[WorkCount]
    paused: list[str] = Field(examples=[["shop.events.fulfil"]], description="Paused handlers.")

    @classmethod
    def of(cls, status: WorkStatus) -> Self:
        """Return the model of the queue's state."""
        counts = [WorkCount.model_validate(each.model_dump()) for each in status.counts]
        parked = sum(each.number for each in counts if each.status == "parked")
        return cls(parked=parked, counts=counts, paused=list(status.paused))


class WorkRetry(BaseModel):
    """The items to do again: `ids`, or all parked ones."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [{"ids": ["k2m7x0v9p4q1r8s"]}, {"parked": True, "handler": "mail"}]
        },
    )

    ids: list[_Id] = Field(default=[], max_length=1000)
    parked: bool = Field(default=False, description="All parked items.")
    handler: _Name | None = Field(default=None, description="With `parked`: of this handler only.")


class WorkCancel(BaseModel):
    """The items to cancel."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ids: list[_Id] = Field(min_length=1, max_length=1000, examples=[["k2m7x0v9p4q1r8s"]])


class WorkPause(BaseModel):
    """The handler to pause or resume."""

    model_config = ConfigDict(extra="forbid", strict=True)

    handler: Annotated[str, Field(min_length=1, max_length=510, examples=["mail"])]


class WorkChanged(ResponseModel):
    """The number of changed items or handlers."""

    changed: int = Field(examples=[1])
