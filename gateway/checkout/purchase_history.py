"""What a buyer has, as far as it decides what may be sold to them, as PocketBase answers it."""

from dataclasses import dataclass

from gateway.customers.buyer import Buyer, Price
from gateway.pocketbase.contracts.buyer import KeyUse


@dataclass(frozen=True, slots=True)
class PurchaseHistory:
    """See pb_hooks/lib/checkout/purchase_history.js. All of it is empty for a guest."""

    #: The price ids of each running subscription.
    subscriptions: tuple[tuple[str, ...], ...] = ()
    #: The known prices of the subscriptions and purchases.
    prices: tuple[Price, ...] = ()
    #: The one-time prices that the buyer has bought or is paying for, as far as that matters.
    bought: tuple[str, ...] = ()
    #: Whether the request has no signed-in user.
    is_guest: bool = False
    #: Whether the buyer has ever had a trial.
    trial_used: bool = False
    #: The number of the exclusive purchase that is under way, and since when (Unix seconds).
    attempt: int = 0
    attempt_since: int = 0
    key: KeyUse | None = None
    #: The Stripe customer of each running subscription.
    customers: tuple[str, ...] = ()


def read_purchase_history(buyer: Buyer) -> PurchaseHistory:
    """Return the standing that was asked for with the buyer."""
    found = buyer.standing
    if found is None:
        return PurchaseHistory()
    return PurchaseHistory(
        subscriptions=tuple(each.prices for each in found.subscriptions),
        bought=found.bought,
        customers=tuple(each.customer for each in found.subscriptions),
        prices=found.held,
        trial_used=found.trial_used,
        attempt=found.attempt.number,
        attempt_since=found.attempt.since,
        key=found.key,
    )
