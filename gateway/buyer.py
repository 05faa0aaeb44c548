"""Who buys: the PocketBase user behind a token, their Stripe customer, and the prices asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.errors import NoOrganization, PocketBaseUnavailable, Unauthenticated
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.writes import Json

_ROUTE = "/api/gateway/buyer"


@dataclass(frozen=True, slots=True)
class Price:
    """A price as PocketBase mirrors it."""

    stripe_id: str
    lookup_key: str
    #: ``recurring`` or ``one_time``.
    type: str
    currency: str
    #: Whether price and product are active.
    active: bool
    #: ``licensed`` or ``metered``, "" for a one-time price.
    usage_type: str = ""
    #: The Stripe id of the product, "" if it is not here yet.
    product: str = ""
    metadata: Json = field(default_factory=dict, hash=False)
    product_metadata: Json = field(default_factory=dict, hash=False)

    @property
    def is_by_member(self) -> bool:
        """Whether organizations pay it for each member (docs/teams.md).

        A product's ``seats`` is about its recurring prices with a quantity: not about a setup fee,
        nor about what is billed by usage.
        """
        is_licensed = self.type == "recurring" and self.usage_type != "metered"
        return is_licensed and (self.product_metadata | self.metadata).get("seats") == "members"


@dataclass(frozen=True, slots=True)
class OwnSubscription:
    """A subscription that the buyer may change."""

    stripe_id: str
    #: The Stripe id of its customer, who is the buyer.
    customer: str
    #: Which of its states PocketBase shows: another after each change.
    stamp: str
    #: The organization that pays, "" if a user does, and how many users belong to it.
    organization: str = ""
    members: int = 0


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization that the user manages, and buys for."""

    id: str
    name: str
    #: How many users belong to it.
    members: int


@dataclass(frozen=True, slots=True)
class Buyer:
    """A signed-in user, who buys for themselves or for an organization."""

    user: str
    email: str
    #: Whether PocketBase has verified the address.
    verified: bool
    name: str
    #: The Stripe customer that purchases use, "" before the first one.
    customer: str
    #: How many customers the user had that were deleted at Stripe.
    deleted_customers: int
    prices: tuple[Price, ...]
    #: The one that was asked for, if it is theirs.
    subscription: OwnSubscription | None = None
    #: The Stripe customer to manage in the portal: one with a running subscription before others.
    portal_customer: str = ""
    #: The owner of the customer that was asked about: ``theirs``, ``another's``, "" for nobody.
    owner: str = ""
    #: What the buyer has, where an order was given: see pb_hooks/lib/standing.js.
    standing: Json = field(default_factory=dict, hash=False)
    #: Who pays and has the customer instead of the user.
    organization: Organization | None = None

    @property
    def payer(self) -> str:
        """Names who pays, among users and organizations alike."""
        return f"organizations/{self.organization.id}" if self.organization else self.user

    @property
    def seats(self) -> int:
        """How many seats an organization takes, 0 for a user."""
        return max(1, self.organization.members) if self.organization else 0


async def read_buyer(
    pocketbase: PocketBase,
    token: str,
    prices: Sequence[str] = (),
    subscription: str = "",
    order: Json | None = None,
    organization: str = "",
    owner_of: str = "",
) -> Buyer:
    """Ask PocketBase who the token's user is, with their customer and some prices, in one call.

    Args:
        token: the user's PocketBase token; only PocketBase can check it.
        prices: Stripe price ids or lookup keys; unknown ones are left out of the answer.
        subscription: a Stripe subscription id; one that the user may not change is left out.
        order: asks for the buyer's standing: ``key`` ("" or an Idempotency-Key) and what is
            ordered under it, as a ``fingerprint``.
        organization: the id of the organization that is to pay, "" for the user.
        owner_of: a Stripe customer id; `Buyer.owner` then says whether it is the user's.

    Raises:
        NoOrganization: there is none, or PocketBase's rule does not let the user update it.
        Unauthenticated: the token is missing, expired, or no user's.
        PocketBaseUnavailable: it could not be asked.
    """
    if not token:
        raise Unauthenticated
    try:
        asked = {
            "prices": list(prices),
            "subscription": subscription,
            "order": order,
            "organization": organization,
            "owner_of": owner_of,
        }
        answer = await pocketbase.call("POST", _ROUTE, asked, token=token)
    except PocketBaseRefused as refused:
        if organization and refused.status == 404:
            raise NoOrganization from refused
        # Anything else, such as a database that is full, is no fault of the token's.
        if refused.status not in (401, 403):
            raise PocketBaseUnavailable from refused
        raise Unauthenticated("The PocketBase user token is not valid.") from refused
    return _read(answer)


def _read(answer: Json) -> Buyer:
    user = answer["user"]
    return Buyer(
        user=user["id"],
        email=user["email"],
        verified=user["verified"],
        name=user["name"],
        customer=answer["customer"],
        portal_customer=answer["portal_customer"],
        owner=answer["owner"],
        deleted_customers=answer["deleted_customers"],
        prices=tuple(Price(**price) for price in answer["prices"]),
        subscription=OwnSubscription(**found) if (found := answer["subscription"]) else None,
        standing=answer["standing"] or {},
        organization=Organization(**team) if (team := answer["organization"]) else None,
    )
