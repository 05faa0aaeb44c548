"""The buyer of a request: the user of the token, the payer's customer, and the prices asked for."""

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
    """A signed-in user who buys for themselves or for an organization."""

    user: str
    email: str
    #: Whether PocketBase has verified the e-mail address.
    verified: bool
    name: str
    #: The Stripe id of the payer's primary customer, "" before the first purchase.
    customer: str
    #: The number of the payer's customers that were deleted at Stripe.
    deleted_customers: int
    prices: tuple[Price, ...]
    #: The requested subscription, None if the buyer may not change it.
    subscription: SubscriptionRef | None = None
    #: The Stripe customer for the portal: one with a running subscription before others.
    portal_customer: str = ""
    #: The owner of the requested customer: ``theirs``, ``another's``, "" if it has none.
    owner: str = ""
    #: Read for an order only: see pb_hooks/lib/checkout/purchase_history.js.
    history: BuyerHistory | None = field(default=None, hash=False)
    #: The organization that pays instead of the user.
    organization: Organization | None = None

    @property
    def payer(self) -> str:
        """The payer's id, unique among users and organizations."""
        return f"organizations/{self.organization.id}" if self.organization else self.user

    @property
    def seats(self) -> int:
        """The number of the organization's members, at least 1; 0 for a user."""
        return max(1, self.organization.members) if self.organization else 0


async def read_buyer(
    pocketbase: PocketBase,
    token: str,
    prices: Sequence[str] = (),
    subscription: str = "",
    order: OrderRequest | None = None,
    organization: str = "",
    owner_of: str = "",
    others: bool = False,
) -> Buyer:
    """Read the token's user, the payer's customer and some prices from PocketBase, in one call.

    Args:
        token: the user's PocketBase token, which PocketBase checks.
        prices: Stripe price ids or lookup keys; unknown ones are missing in the result.
        subscription: a Stripe subscription id, for `Buyer.subscription`.
        order: reads the buyer's history as well.
        organization: the record id of the paying organization, "" if the user pays.
        owner_of: a Stripe customer id, for `Buyer.owner`.
        others: reads the prices of the payer's other subscriptions, for `Buyer.subscription`.

    Raises:
        NoOrganization: it does not exist, or PocketBase's rule forbids the user to update it.
        Unauthenticated: the token is missing, expired, or not a user's.
        PocketBaseUnavailable: PocketBase does not answer, or can't store the request.
    """
    if not token:
        raise Unauthenticated
    try:
        request = BuyerRequest(
            prices=tuple(prices),
            subscription=subscription,
            organization=organization,
            owner_of=owner_of,
            others=others,
            order=order,
        )
        answer = await call_hook(pocketbase, BUYER, request, token=token)
    except PocketBaseRefused as refused:
        if organization and refused.status == 404:
            raise NoOrganization from refused
        # Other errors, such as a full database, are not caused by the token.
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
        history=answer.history,
        organization=answer.organization,
    )
