"""Maps a refusal of Stripe to the field of the order, and to the party that has to act.

Decisions: docs/decisions/021-stripe-refusals.md.
"""

import logging
import re

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


def explain_refusal(refused: StripeRefused, offer: Quote) -> StripeRefused:
    """Return the error that the buyer gets when Stripe refuses to create the session.

    Without a cause that is known it is the seller's: the buyer chose prices and quantities only,
    which were checked before.
    """
    answer = refused.stripe
    if isinstance(refused, StripeKeyRefused) or answer.status not in (400, 404):
        return refused
    cause = find_cause(answer) or _UNKNOWN
    if cause is COUPON and offer.promotion_code:
        cause = PROMOTION_CODE
    if cause is PROMOTION_CODE and not offer.promotion_code:
        cause = COUPON
    message = cause.message
    if cause is COUPON and offer.coupon:
        message = f"The coupon {offer.coupon} of this offer can't be redeemed."
    data = {_field(cause, offer, answer.param): {"code": cause.code, "message": message}}
    if not cause.is_sellers:
        return InputRefused(cause.message, data).of(answer)
    _log_for_seller(cause, offer, refused)
    return ConfigurationRefused(message, data).of(answer)


def _field(cause: Cause, offer: Quote, param: str) -> str:
    """Return the field of the request for a parameter of Stripe's."""
    found = _LINE.search(param)
    number = int(found[1]) if found and int(found[1]) < len(offer.lines) else 0
    place = offer.lines[number].place if offer.lines else 0
    if cause is QUANTITY:
        return f"items.{place}.quantity"
    if cause is CURRENCY or (cause is PRICE and found):
        return f"items.{place}.price"
    return cause.field


def _log_for_seller(cause: Cause, offer: Quote, refused: StripeRefused) -> None:
    told = {
        "cause": cause.code,
        "prices": [line.price.stripe_id for line in offer.lines],
        "coupon": offer.coupon,
        "promotion_code": offer.promotion_code,
        **refused.stripe.log_fields,
    }
    _log.error("purchase refused by stripe: change the price, its terms or coupon", extra=told)
