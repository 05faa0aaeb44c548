"""Request and response models of /admin."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from gateway.customers.transfer import Transfer
from gateway.dates import parse_time
from gateway.events.replay import Replayed
from gateway.events.stored_events import Selection
from gateway.http.response_types import DateTime, Empty, RecordId, ResponseModel, Text
from gateway.reconcile.run import is_under_way
from gateway.rows import Json
from gateway.settings import MAX_DAYS

_TIME = "`2026-11-23`, `2026-11-23T09:30:00Z` (UTC without a zone), or `30m`, `2h`, `7d` ago"


#: An id, a type or a time.
_Word = Annotated[str, Field(max_length=255)]


class Selectors(BaseModel):
    """Selects the events that match all given fields."""

    model_config = ConfigDict(extra="forbid")

    type: _Word | None = Field(
        default=None, examples=["invoice.*"], description="`invoice.paid`, or `invoice.*`."
    )
    object: _Word | None = Field(default=None, examples=["sub_1SWbVdLkdIwHu7ix"])
    since: _Word | None = Field(
        default=None, examples=["2d"], description=f"Created at this time or later: {_TIME}."
    )
    until: _Word | None = Field(
        default=None, examples=["2026-11-23"], description="Created before this time."
    )
    outcome: _Word | None = Field(default=None, examples=["failed"])

    @property
    def selection(self) -> Selection:
        """Return the fields as a selection of stored events."""
        now = datetime.now(UTC)
        return Selection(
            type=self.type or "",
            object_id=self.object or "",
            outcome=self.outcome or "",
            since=parse_time(self.since, now) if self.since else None,
            until=parse_time(self.until, now) if self.until else None,
        )


class Listing(Selectors):
    """The events to list, and the page."""

    limit: int = Field(default=50, ge=1, le=500)
    after: _Word | None = Field(default=None, description="The last event of the previous page.")


class Replay(Selectors):
    """The events to replay: `ids`, or those that the other fields select."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "examples": [
                {"ids": ["evt_1SWbVhLkdIwHu7ix"]},
                {"type": "customer.subscription.*", "since": "2d"},
            ]
        },
    )

    ids: list[_Word] = Field(default=[], max_length=1000)
    after: _Word | None = Field(
        default=None, description="Continue after this event, the last of the previous response."
    )
    limit: int = Field(default=100, ge=1, le=1000)
    dry_run: bool = False


class StoredEvent(ResponseModel):
    """A stored event."""

    id: str = Field(examples=["evt_1SWbVhLkdIwHu7ix"])
    type: str = Field(examples=["customer.subscription.updated"])
    outcome: str = Field(
        examples=["applied"], description="applied, superseded, ignored, connect or failed."
    )
    error: Empty | Text = Field(examples=[""])
    attempts: int = Field(examples=[1])
    object: Empty | Text = Field(examples=["sub_1SWbVdLkdIwHu7ix"])
    account: Empty | Text = Field(examples=[""], description="The connected account, if any.")
    api_version: str = Field(examples=["2026-10-28.endive"])
    livemode: bool
    created: str = Field(examples=["2026-11-23 09:30:00.000Z"])
    received: str = Field(examples=["2026-11-23 09:30:01.234Z"])

    @classmethod
    def of(cls, row: Json) -> Self:
        """Return the model of an event's row."""
        facts = {name: value for name, value in row.items() if value is not None}
        return cls.model_validate({**facts, "id": row["stripe_id"], "object": row["object_id"]})


class StoredEventWithPayload(StoredEvent):
    """A stored event with its payload."""

    payload: dict[str, Any] | None = Field(
        default=None,
        examples=[{"id": "evt_1SWbVhLkdIwHu7ix", "object": "event"}],
        description="The body that Stripe sent; null after it was pruned.",
    )


class EventPage(ResponseModel):
    """A page of events, newest first."""

    events: list[StoredEvent]


class ReplayedEvent(ResponseModel):
    """The outcome of one event's replay."""

    id: str = Field(examples=["evt_1SWbVhLkdIwHu7ix"])
    type: str = Field(examples=["customer.subscription.updated"])
    outcome: str = Field(
        examples=["applied"],
        description=(
            "An outcome of a delivery, or `ready` (in a dry run), `pruned` (the payload is gone),"
            " `unknown` (not stored), `error` (see `detail`)."
        ),
    )
    detail: Empty | Text = Field(examples=[""])

    @classmethod
    def of(cls, result: Replayed) -> Self:
        """Return the model of a replay's result."""
        return cls(
            id=result.stripe_id, type=result.type, outcome=result.outcome, detail=result.detail
        )


class ReplayReport(ResponseModel):
    """The outcomes of a replay."""

    events: list[ReplayedEvent]
    outcomes: dict[str, int] = Field(examples=[{"applied": 3, "superseded": 1}])
    has_more: bool = Field(description="Whether to continue `after` the last of these events.")


class Prune(BaseModel):
    """The payloads to prune."""

    model_config = ConfigDict(extra="forbid", strict=True)

    older_than_days: int | None = Field(
        default=None,
        ge=1,
        le=MAX_DAYS,
        examples=[90],
        description="Age in days; by default GATEWAY_KEEP_PAYLOAD_DAYS.",
    )
    dry_run: bool = False


class PruneReport(ResponseModel):
    """The number of pruned payloads; in a dry run, of payloads that would be pruned."""

    pruned: int = Field(examples=[1200])


class CustomerMove(BaseModel):
    """The new owner: a user or an organization."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"user": "k2m7x0v9p4q1r8s"}]}
    )

    user: str | None = Field(default=None, max_length=255, description="The id of a user.")
    organization: str | None = Field(
        default=None, max_length=255, description="The id of an organization."
    )


class MovedCustomer(ResponseModel):
    """The customer and its rows have a new owner."""

    customer: str = Field(examples=["cus_TA1b2C3d4E5f6G"])
    user: Empty | RecordId = Field(examples=["k2m7x0v9p4q1r8s"])
    organization: Empty | RecordId = Field(examples=[""])
    former_user: Empty | RecordId = Field(examples=["n3k8w1q9r5t2y7u"])
    former_organization: Empty | RecordId = Field(examples=[""])

    @classmethod
    def of(cls, move: Transfer) -> Self:
        """Return the model of a transfer."""
        return cls(
            customer=move.customer,
            user=move.after.user,
            organization=move.after.organization,
            former_user=move.before.user,
            former_organization=move.before.organization,
        )


class ReconcileRequest(BaseModel):
    """The scope of a reconciliation, by default everything."""

    model_config = ConfigDict(extra="forbid", strict=True)

    dry_run: bool = False
    only: list[_Word] = Field(
        default=[],
        max_length=100,
        examples=[["products", "prices"]],
        description="Collections; all by default.",
    )
    since: _Word | None = Field(
        default=None, description=f"Only objects created at this time or later: {_TIME}."
    )
    events: bool = Field(default=True, description="Handle missed events.")
    objects: bool = Field(default=True, description="Compare the objects with their rows.")
    rate: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        description="Requests to Stripe per second; by default 80 in live mode, 20 in test mode.",
    )


class ReconcileStarted(ResponseModel):
    """The started run; GET /admin/reconcile shows its progress."""

    id: str = Field(examples=["k3w9x1q8r5t2y7u"])


class ReconcileRun(ResponseModel):
    """A run with its progress."""

    id: str = Field(examples=["k3w9x1q8r5t2y7u"])
    is_under_way: bool
    started: str = Field(examples=["2026-11-23 09:30:00.000Z"])
    updated: str = Field(examples=["2026-11-23 09:31:00.000Z"])
    finished: Empty | DateTime = Field(examples=[""], description="Empty until the run has ended.")
    error: Empty | Text = Field(examples=[""], description="Why the run was interrupted.")
    options: dict[str, Any]
    step: str = Field(examples=["subscriptions all"], description="The current list.")
    report: dict[str, Any] = Field(
        examples=[{"counts": {"products": {"listed": 3, "changed": 1}}, "differences": []}]
    )

    @classmethod
    def of(cls, row: Json) -> Self:
        """Return the model of a run's row."""
        state = {"is_under_way": is_under_way(row), "step": row["position"]["step"]}
        return cls.model_validate({**row, **state})


class ReconcileRuns(ResponseModel):
    """Runs, newest first."""

    runs: list[ReconcileRun]
