"""A buyer's earlier purchases, as far as they decide what can be sold now.

PocketBase computes them: pb_hooks/lib/checkout/purchase_history.js.
"""

from dataclasses import dataclass

from gateway.customers.buyer import Buyer, Price
from gateway.pocketbase.contracts.buyer import KeyUse


@dataclass(frozen=True, slots=True)
class PurchaseHistory:
    """Running subscriptions, one-time purchases, the trial and the pending checkout."""

    #: The price ids of each running subscription.
    subscriptions: tuple[tuple[str, ...], ...] = ()
    #: The mirrored prices of the subscriptions and purchases.
    prices: tuple[Price, ...] = ()
    #: Ids of one-time prices that the buyer has bought or is paying for. Empty unless an order or
    #: the terms file names a price that is sold once per buyer.
    bought: tuple[str, ...] = ()
    #: Whether the request has no signed-in user.
    is_guest: bool = False
    #: Whether the buyer has had a trial.
    trial_used: bool = False
    #: The number of the pending checkout, 0 for none, and its start in Unix seconds.
    pending_number: int = 0
    pending_since: int = 0
    #: The first use of the request's Idempotency-Key, None without the header.
    key: KeyUse | None = None
    #: The Stripe customer of each running subscription, in the order of `subscriptions`.
    customers: tuple[str, ...] = ()


def read_purchase_history(buyer: Buyer) -> PurchaseHistory:
    """Return the history that was read with the buyer, an empty one if none was."""
    history = buyer.history
    if history is None:
        return PurchaseHistory()
    return PurchaseHistory(
        subscriptions=tuple(each.prices for each in history.subscriptions),
        bought=history.bought,
        customers=tuple(each.customer for each in history.subscriptions),
        prices=history.held,
        trial_used=history.trial_used,
        pending_number=history.pending.number,
        pending_since=history.pending.since,
        key=history.key,
    )
