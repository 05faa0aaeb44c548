"""The commit route: events and the rows they change, in one transaction.

The body is the head as JSON, then each row's columns, the Stripe objects that no payload contains,
each event's payload, and the items of the queue if there are any, separated by U+001E (see
`gateway.pocketbase.commit`). The head consists of plain dicts: it is built for every delivery.
"""

from typing import Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from gateway.pocketbase.contracts.route import Contract, HookRoute

#: The outcome of an event: decided by the hooks, or set by the gateway.
Outcome = Literal[
    "applied",
    "superseded",
    "duplicate",
    "conflict",
    "ignored",
    "connect",
    "thin",
    "failed",
    "unresolved",
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
    version: list[Any]
    event: int | None
    #: The guard of the conflict that the row resolves, as the hooks returned it.
    expect: dict[str, Any] | None
    ask: Literal["", "order", "time"]
    again: bool
    #: Start and end of the row's Stripe object in the payload of `event`; None if the object has a
    #: text of its own.
    object_span: list[int] | None


class CommitClaim(TypedDict):
    """A statement about the owner of a customer."""

    customer: str
    customer_id: str
    user: str
    organization: str
    email: str
    primary: bool
    since: int


class CommitWorkItem(TypedDict):
    """An item of the queue; the items are the last text of the body."""

    id: str
    kind: Literal["event"]
    handler: str
    key: str
    #: The event's Stripe id.
    source: str
    payload: dict[str, str]
    expires: str
    tries: int
    at_most_once: bool


class CommitHead(TypedDict):
    """The JSON at the beginning of the body."""

    events: list[CommitEvent]
    rows: list[CommitRow]
    claims: list[CommitClaim]
    #: For each item of the queue its event's index in ``events``; None if there are no items.
    work: list[int] | None


class CommitConflict(Contract):
    """A row that its version does not order."""

    #: The Stripe id.
    object: str
    #: The span of the events in question, as date columns.
    since: str = Field(alias="from")
    until: str = Field(alias="to")
    #: The stored row's version, "" if there is none.
    version: str
    #: How many events are stored of that span.
    seen: int
    #: Their payloads, None if they are too many or pruned.
    events: tuple[str, ...] | None

    @property
    def guard(self) -> dict[str, Any]:
        """The part that `CommitRow.expect` repeats."""
        return self.model_dump(by_alias=True, exclude={"events"})


class CommitAnswer(Contract):
    """The result of a batch: an outcome per event, and a conflict or None per row."""

    outcomes: tuple[Outcome, ...]
    conflicts: tuple[CommitConflict | None, ...]


COMMIT = HookRoute("POST", "/api/gateway/commit", CommitHead, CommitAnswer)
