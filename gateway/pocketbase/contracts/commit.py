"""The commit route: events and the rows they change, in one transaction.

The body is the head as JSON, then each row's columns and each event's payload, separated by U+001E
(see `gateway.pocketbase.commit`). The head consists of plain dicts: it is built for every delivery.
"""

from typing import Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from gateway.pocketbase.contracts.route import Contract, HookRoute

#: What became of an event: decided by the hooks, or named by the gateway.
Outcome = Literal[
    "applied", "superseded", "repeated", "tie", "unmirrored", "foreign", "thin", "failed"
]


class EventColumns(TypedDict):
    """The columns of ``stripe_events`` that an event fills by itself."""

    id: str
    type: str
    object_id: str
    account: str
    api_version: str
    livemode: bool
    created: str
    received: str


class CommitEvent(EventColumns):
    """An event to store."""

    stripe_id: str
    #: Index in ``rows`` of the row that shows the event's object.
    row: int | None
    outcome: str
    error: str
    again: bool


class CommitRow(TypedDict):
    """A row to write if it is newer; its columns follow the head."""

    collection: str
    id: str
    stripe_id: str
    customer: str
    user: str
    stamp: list[Any]
    event: int | None
    #: The tie that the row decides, as it was answered.
    expect: dict[str, Any] | None
    ask: Literal["", "order", "time"]
    again: bool


class CommitClaim(TypedDict):
    """A statement about the owner of a customer."""

    customer: str
    customer_id: str
    user: str
    organization: str
    email: str
    primary: bool
    since: int


class CommitNotice(TypedDict):
    """A row of the outbox."""

    id: str
    #: Index in ``events``.
    event_place: int
    via: str
    kind: str
    collection: str
    record: str
    customer: str
    expires: str


class CommitHead(TypedDict):
    """The JSON at the beginning of the body."""

    events: list[CommitEvent]
    rows: list[CommitRow]
    claims: list[CommitClaim]
    #: None if there are none.
    notices: list[CommitNotice] | None


class CommitTie(Contract):
    """A row that can't be judged by its stamp."""

    #: The Stripe id.
    object: str
    #: The span of the events in question, as date columns.
    since: str = Field(alias="from")
    until: str = Field(alias="to")
    #: The stored row's stamp, "" if there is none.
    stamp: str
    #: How many events are stored of that span.
    seen: int
    #: Their payloads, None if they are too many or pruned.
    events: tuple[str, ...] | None

    @property
    def guard(self) -> dict[str, Any]:
        """What `CommitRow.expect` repeats."""
        return self.model_dump(by_alias=True, exclude={"events"})


class CommitAnswer(Contract):
    """What became of a group: an outcome per event, and a tie or None per row."""

    outcomes: tuple[Outcome, ...]
    ties: tuple[CommitTie | None, ...]


COMMIT = HookRoute("POST", "/api/gateway/commit", CommitHead, CommitAnswer)
