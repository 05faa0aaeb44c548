"""Who buys: the PocketBase user behind a token, their Stripe customer, and the prices asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.errors import NoOrganization, PocketBaseUnavailable, Unauthenticated
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.pocketbase.contracts.buyer import (
    BUYER,
    BuyerAnswer,
    BuyerHistory,
    BuyerRequest,
    OrderRequest,
    Organization,
    Price,
    SubscriptionRef,
)
from gateway.pocketbase.hook_call import call_hook

__all__ = ["Buyer", "OrderRequest", "Organization", "Price", "SubscriptionRef", "read_buyer"]


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
    subscription: SubscriptionRef | None = None
    #: The Stripe customer to manage in the portal: one with a running subscription before others.
    portal_customer: str = ""
    #: The owner of the customer that was asked about: ``theirs``, ``another's``, "" for nobody.
    owner: str = ""
    #: What the buyer has, where an order was given: see pb_hooks/lib/checkout/purchase_history.js.
    history: BuyerHistory | None = field(default=None, hash=False)
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
    order: OrderRequest | None = None,
    organization: str = "",
    owner_of: str = "",
) -> Buyer:
    """Ask PocketBase who the token's user is, with their customer and some prices, in one call.

    Args:
        token: the user's PocketBase token; only PocketBase can check it.
        prices: Stripe price ids or lookup keys; unknown ones are left out of the answer.
        subscription: a Stripe subscription id; one that the user may not change is left out.
        order: asks for the buyer's history as well.
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
        asked = BuyerRequest(
            prices=tuple(prices),
            subscription=subscription,
            organization=organization,
            owner_of=owner_of,
            order=order,
        )
        answer = await call_hook(pocketbase, BUYER, asked, token=token)
    except PocketBaseRefused as refused:
        if organization and refused.status == 404:
            raise NoOrganization from refused
        # Anything else, such as a database that is full, is no fault of the token's.
        if refused.status not in (401, 403):
            raise PocketBaseUnavailable from refused
        raise Unauthenticated("The PocketBase user token is not valid.") from refused
    return _read(answer)


def _read(answer: BuyerAnswer) -> Buyer:
    user = answer.user
    return Buyer(
        user=user.id,
        email=user.email,
        verified=user.verified,
        name=user.name,
        customer=answer.customer,
        portal_customer=answer.portal_customer,
        owner=answer.owner,
        deleted_customers=answer.deleted_customers,
        prices=answer.prices,
        subscription=answer.subscription,
        history=answer.standing,
        organization=answer.organization,
    )
