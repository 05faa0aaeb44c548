"""What a buyer has, as far as it decides what may be sold to them, as PocketBase answers it."""

from dataclasses import dataclass

from gateway.buyer import Buyer, Price


@dataclass(frozen=True, slots=True)
class Key:
    """The first use of an Idempotency-Key by this buyer."""

    #: Another for each buyer and key.
    id: str
    #: What was asked for then.
    fingerprint: str
    #: When that was, in Unix seconds.
    since: int


@dataclass(frozen=True, slots=True)
class Standing:
    """See pb_hooks/lib/standing.js. All of it is empty for a guest."""

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
    key: Key | None = None
    #: The Stripe customer of each running subscription.
    customers: tuple[str, ...] = ()


def read_standing(buyer: Buyer) -> Standing:
    """Return the standing that was asked for with the buyer."""
    found = buyer.standing
    key = found["key"]
    return Standing(
        subscriptions=tuple(tuple(each["prices"]) for each in found["subscriptions"]),
        bought=tuple(found["bought"]),
        customers=tuple(each["customer"] for each in found["subscriptions"]),
        prices=tuple(Price(**price) for price in found["held"]),
        trial_used=found["trial_used"],
        attempt=found["attempt"]["number"],
        attempt_since=found["attempt"]["since"],
        key=Key(**key) if key else None,
    )
