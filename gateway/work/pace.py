"""The time between two calls of the exchange route. Pure."""

from collections import Counter

from gateway.pocketbase.contracts.work import ExchangeAnswer, ExchangeRequest

#: Minimum time between two calls that are not full, so that events that arrive in a row share one;
#: the longer time while several arrive in it, because each call costs PocketBase CPU time.
PACE_SECONDS, _BUSY_PACE_SECONDS = 0.03, 0.06
_BUSY_ITEMS = 4
#: While deliveries wait for their write, the pause after a full call, relative to its duration:
#: Stripe waits for an answer, and items do not. The maximum in seconds.
_PAUSE_RATIO, _MAX_PAUSE_SECONDS = 5.0, 0.25


def choose_pace(request: ExchangeRequest, answer: ExchangeAnswer) -> float:
    """Return the seconds between two calls; none while more items wait than a call claims."""
    claimed = Counter(item.handler for item in answer.items)
    is_full = any(claimed[each.name] >= each.limit for each in request.handlers)
    if is_full or claimed.total() >= request.limit:
        return 0.0
    return _BUSY_PACE_SECONDS if claimed.total() >= _BUSY_ITEMS else PACE_SECONDS


def choose_pause(seconds: float) -> float:
    """Return the seconds that deliveries get after a full call, which took ``seconds``."""
    return min(seconds * _PAUSE_RATIO, _MAX_PAUSE_SECONDS)
