"""Routes of a purchase: the buyer with the prices asked for, and the end of a pending purchase."""

from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.pocketbase.contracts.route import Contract, Empty, HookRoute


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
    metadata: dict[str, Any] = field(default_factory=dict, hash=False)
    product_metadata: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def is_by_member(self) -> bool:
        """Whether organizations pay it for each member (docs/teams.md).

        A product's ``seats`` is about its recurring prices with a quantity: not about a setup fee,
        nor about what is billed by usage.
        """
        is_licensed = self.type == "recurring" and self.usage_type != "metered"
        return is_licensed and (self.product_metadata | self.metadata).get("seats") == "members"


@dataclass(frozen=True, slots=True)
class SubscriptionRef:
    """A subscription that the buyer may change."""

    stripe_id: str
    #: The Stripe id of its customer: the buyer's.
    customer: str
    #: Which of its states PocketBase shows: another after each change.
    version: str
    #: The organization that pays, "" if a user does, and how many users belong to it.
    organization: str = ""
    members: int = 0
    #: The Stripe ids of the prices of the payer's other subscriptions that have not ended. Empty
    #: unless the request asks for them.
    other_prices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization that the user manages, and buys for."""

    id: str
    name: str
    #: How many users belong to it.
    members: int


@dataclass(frozen=True, slots=True)
class KeyUse:
    """The first use of an Idempotency-Key by this buyer."""

    #: Another for each buyer and key.
    id: str
    #: The hash of the request at that time.
    request_hash: str
    #: When that was, in Unix seconds.
    since: int


class OrderRequest(Contract):
    """The order, for the eligibility of the buyer."""

    #: The digest of an Idempotency-Key, "" for none.
    key: str
    #: The digest of the order under the key, "" without a key.
    request_hash: str
    #: Whether price terms may sell something once per buyer.
    once: bool = False


class BuyerRequest(Contract):
    """The data that a purchase or the portal needs."""

    prices: tuple[str, ...] = ()
    subscription: str = ""
    organization: str = ""
    owner_of: str = ""
    #: Whether to read `SubscriptionRef.other_prices`; the answer's prices include the known ones.
    others: bool = False
    order: OrderRequest | None = None


class BuyerUser(Contract):
    """The signed-in user."""

    id: str
    email: str
    verified: bool
    name: str


class PendingCheckout(Contract):
    """The exclusive purchase under way: its number, and since when in Unix seconds."""

    number: int
    since: int


class HeldSubscription(Contract):
    """A subscription of the buyer that has not ended."""

    stripe_id: str
    status: str
    customer: str
    #: The Stripe ids of its prices.
    prices: tuple[str, ...]


class BuyerHistory(Contract):
    """Past and present purchases: see pb_hooks/lib/checkout/purchase_history.js."""

    pending: PendingCheckout
    key: KeyUse | None
    subscriptions: tuple[HeldSubscription, ...]
    #: The one-time prices that the buyer has bought or is paying for, as far as that matters.
    bought: tuple[str, ...]
    #: The known prices of the subscriptions and purchases.
    held: tuple[Price, ...]
    trial_used: bool


class BuyerAnswer(Contract):
    """The user, the payer, and the requested data."""

    user: BuyerUser
    organization: Organization | None
    customer: str
    portal_customer: str
    deleted_customers: int
    prices: tuple[Price, ...]
    subscription: SubscriptionRef | None
    owner: Literal["theirs", "another's", ""]
    history: BuyerHistory | None


class PricesRequest(Contract):
    """Prices by Stripe id or lookup key."""

    prices: tuple[str, ...]


class PricesAnswer(Contract):
    """Those that exist."""

    prices: tuple[Price, ...]


class PendingCheckoutEnd(Contract):
    """The exclusive purchase that is over."""

    buyer: str
    number: int


BUYER = HookRoute("POST", "/api/gateway/buyer", BuyerRequest, BuyerAnswer, may_be_missing=True)
PRICES = HookRoute("POST", "/api/gateway/prices", PricesRequest, PricesAnswer)
END_PENDING_CHECKOUT = HookRoute(
    "POST", "/api/gateway/pending-checkout/end", PendingCheckoutEnd, Empty
)
