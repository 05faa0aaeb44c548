"""Maps a refusal by Stripe to a field of the request, and to the party that has to act.

Decisions: docs/decisions/021-stripe-refusals.md.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.checkout.create_session import KeyTaken
from gateway.checkout.quote import Quote
from gateway.errors import (
    ConfigurationRefused,
    InputRefused,
    StripeKeyRefused,
    StripeRefused,
)
from gateway.stripe_api.causes import (
    COUPON,
    CURRENCY,
    PRICE,
    PROMOTION_CODE,
    QUANTITY,
    Cause,
    find_cause,
)

_log = logging.getLogger(__name__)

_LINE = re.compile(r"line_items\[(\d+)\]")
_UNKNOWN = Cause(
    "items", "not_sellable", "Stripe refuses these prices as the seller has configured them."
)


@contextmanager
def explain_refusals(quote: Quote) -> Iterator[None]:
    """Replace a refusal raised in the block, also a stored one, by its explanation.

    Raises:
        StripeRefused, KeyTaken
    """
    try:
        yield
    except StripeRefused as refused:
        raise explain_refusal(refused, quote) from refused.__cause__
    except KeyTaken as taken:
        if isinstance(taken.failure, StripeRefused):
            taken.failure = explain_refusal(taken.failure, quote)
        raise


def explain_refusal(refused: StripeRefused, quote: Quote) -> StripeRefused:
    """Return the buyer's error for Stripe's refusal to create a session.

    An unknown cause is attributed to the seller, because the buyer chose only prices and
    quantities, and these were checked before.
    """
    answer = refused.stripe
    if isinstance(refused, StripeKeyRefused) or answer.status not in (400, 404):
        return refused
    cause = find_cause(answer) or _UNKNOWN
    if cause is COUPON and quote.promotion_code:
        cause = PROMOTION_CODE
    if cause is PROMOTION_CODE and not quote.promotion_code:
        cause = COUPON
    message = cause.message
    if cause is COUPON and quote.coupon:
        message = f"The coupon {quote.coupon} of this offer can't be redeemed."
    data = {_field(cause, quote, answer.param): {"code": cause.code, "message": message}}
    if not cause.is_sellers:
        return InputRefused(cause.message, data).of(answer)
    _log_for_seller(cause, quote, refused)
    return ConfigurationRefused(message, data).of(answer)


def _field(cause: Cause, quote: Quote, param: str) -> str:
    """Return the request's field for a parameter of Stripe's."""
    found = _LINE.search(param)
    number = int(found[1]) if found and int(found[1]) < len(quote.lines) else 0
    place = quote.lines[number].place if quote.lines else 0
    if cause is QUANTITY:
        return f"items.{place}.quantity"
    if cause is CURRENCY or (cause is PRICE and found):
        return f"items.{place}.price"
    return cause.field


def _log_for_seller(cause: Cause, quote: Quote, refused: StripeRefused) -> None:
    fields = {
        "cause": cause.code,
        "prices": [line.price.stripe_id for line in quote.lines],
        "coupon": quote.coupon,
        "promotion_code": quote.promotion_code,
        **refused.stripe.log_fields,
    }
    _log.error("purchase refused by stripe: change the price, its terms or coupon", extra=fields)
