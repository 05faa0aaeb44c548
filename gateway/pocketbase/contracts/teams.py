"""Routes about organizations: seats to update, and organizations without an owner or members."""

from dataclasses import dataclass

from gateway.pocketbase.contracts.buyer import Price
from gateway.pocketbase.contracts.route import Contract, HookRoute


@dataclass(frozen=True, slots=True)
class Seats:
    """A subscription item whose quantity is not the number of members."""

    item: str
    #: Which state of the subscription PocketBase shows.
    version: str
    members: int
    #: How many are paid for.
    quantity: int
    price: Price
    #: Of a change that is planned for the period's end, "" without one.
    schedule: str = ""


class SeatsRequest(Contract):
    """Where to continue: the id of a subscription item, "" for the beginning."""

    after: str


class SeatsAnswer(Contract):
    """A page of seats."""

    seats: tuple[Seats, ...]
    #: Where to continue, "" at the end.
    next: str


class OrganizationsRequest(Contract):
    """The organizations that had no members at the last check."""

    seen: tuple[str, ...]


class Promotion(Contract):
    """A member who became the owner."""

    organization: str
    user: str
    membership: str


class OrganizationsAnswer(Contract):
    """The result, and the organizations to send as ``seen`` next time."""

    promoted: tuple[Promotion, ...]
    #: Organizations without members whose billing ends.
    ended: tuple[str, ...]
    vacant: tuple[str, ...]


SEATS = HookRoute("GET", "/api/gateway/seats", SeatsRequest, SeatsAnswer)
CHECK_ORGANIZATIONS = HookRoute(
    "POST", "/api/gateway/organizations/check", OrganizationsRequest, OrganizationsAnswer
)
