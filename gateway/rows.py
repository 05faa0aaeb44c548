"""Values that the gateway writes to PocketBase: rows, versions, claims, items of the queue."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.ids import record_id
from gateway.vocabulary import ORGANIZATION_METADATA, USER_METADATA

#: A decoded JSON object.
Json = dict[str, Any]

#: The hidden column that keeps the complete Stripe object.
OBJECT_COLUMN = "stripe_object"


def payer_metadata(user: str, organization: str) -> dict[str, str]:
    """Return the metadata that names a payer; Stripe removes keys with an empty value."""
    return {USER_METADATA: user, ORGANIZATION_METADATA: organization}


class Version(NamedTuple):
    """The state of a Stripe object that a row shows; pb_hooks/lib/mirror/ordering.js compares it.

    See docs/decisions/003-ordering.md.
    """

    #: 1 once the object can't change back (deleted, canceled), else 0. Never goes down.
    final: int
    #: The state is not older than this second of Stripe's clock.
    as_of: int
    #: The state is not newer than this second; equal to ``as_of`` unless read from Stripe.
    until: int
    #: The progress of the object within one second, if its type has one. Never goes down.
    rank: int
    #: The id of the state's event, or a unique name of the read.
    source: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a mirror collection and the state of the Stripe object that it shows."""

    collection: str
    stripe_id: str
    #: Column values, without ``id``, ``stripe_id``, ``user``, ``version`` and ``stripe_object``.
    values: Json
    #: See `Version.final`.
    final: bool = False
    #: See `Version.rank`.
    rank: int = 1
    #: The PocketBase user, for rows whose object names no customer.
    user: str = ""
    #: The Stripe object without its credentials; None leaves the stored one as it is.
    object: Json | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Collection and Stripe id: rows with one key are states of one object."""
        return self.collection, self.stripe_id

    @property
    def record(self) -> Json:
        """The column values with the ids and the Stripe object."""
        ids = {"id": record_id(self.stripe_id), "stripe_id": self.stripe_id}
        kept = {} if self.object is None else {OBJECT_COLUMN: self.object}
        return {**ids, **self.values, **kept}


@dataclass(frozen=True, slots=True)
class OwnershipClaim:
    """States that a Stripe customer belongs to a user or organization.

    pb_hooks/lib/mirror/ownership.js decides which claim applies.
    """

    #: The Stripe customer's id.
    customer: str
    #: The PocketBase user's id; ignored if the user does not exist.
    user: str = ""
    #: Instead of a user: an organization's record id; ignored if it does not exist.
    organization: str = ""
    #: Instead of both: an e-mail address; ignored if it is not a user's verified address.
    email: str = ""
    #: Whether /checkout may use this customer for the user.
    primary: bool = False
    #: The time of the claim: Unix seconds by Stripe's clock.
    since: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of one state of a Stripe object: its row, and the claims about its owner."""

    row: Row
    claims: tuple[OwnershipClaim, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkEntry:
    """An item of the queue that follows from an event, written in the event's transaction.

    See pb_hooks/lib/work/queue.js.
    """

    #: ``mail``, or the name of an event handler.
    handler: str
    #: ``receipt``, ``refund`` and so on; "" for an event that is not mailed.
    kind: str
    #: The mirrored row that it is about: collection and Stripe id, or "".
    collection: str
    object_id: str
    #: The customer's Stripe id, "" where the object names none.
    customer: str
    #: The event's time: Unix seconds by Stripe's clock.
    created: int
    #: Unix seconds after which the item does not start any more, 0 for never.
    expires: int = 0
    #: Attempts before it is parked; 0 for no limit.
    tries: int = 20
    at_most_once: bool = False
    #: Items of one handler and key run in order; "" for any order.
    key: str = ""
