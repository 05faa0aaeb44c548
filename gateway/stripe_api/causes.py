"""Which setting or value Stripe refuses, and whether the seller or the buyer can change it. Pure.

Stripe names a cause by its code, by the parameter, or in its text alone; each cause has a pattern
for all three. The first that matches counts. The text counts only where Stripe sends no code.
"""

import re
from dataclasses import dataclass
from typing import Any

from gateway.stripe_error import StripeAnswer

_REFUSALS = (400, 404)
_URLS = "success_url|cancel_url|return_url"


@dataclass(frozen=True, slots=True)
class Cause:
    """A kind of refusal, in the gateway's own words."""

    #: The key of PocketBase's ``data``; empty for the name of Stripe's parameter.
    field: str
    code: str
    message: str
    #: Whether the seller has to act; otherwise the buyer.
    is_sellers: bool = True

    @property
    def data(self) -> dict[str, Any]:
        """PocketBase's ``data`` for the refusal."""
        return {self.field: {"code": self.code, "message": self.message}}


@dataclass(frozen=True, slots=True)
class _Rule:
    cause: Cause
    codes: str = ""
    params: str = ""
    texts: str = ""

    def matches(self, answer: StripeAnswer) -> bool:
        return bool(
            (self.codes and re.fullmatch(self.codes, answer.code))
            or (self.params and re.search(self.params, answer.param))
            or (
                self.texts
                and not answer.code
                and re.search(self.texts, answer.message, re.IGNORECASE)
            )
        )


COUPON = Cause("coupon", "coupon_not_redeemable", "The coupon of this offer can't be redeemed.")
PROMOTION_CODE = Cause(
    "promotion_code",
    "promotion_code_not_applicable",
    "This code does not apply here.",
    is_sellers=False,
)
CURRENCY = Cause(
    "currency",
    "currency_mismatch",
    "Your earlier purchases are in another currency, and Stripe allows only one per customer.",
    is_sellers=False,
)
EMAIL = Cause("email", "email_not_accepted", "Stripe does not accept this address.", False)
NAME = Cause("name", "name_not_accepted", "Stripe does not accept this name.", False)
ADDRESS = Cause("address", "address_not_accepted", "Stripe does not accept this address.", False)
QUANTITY = Cause("quantity", "quantity_not_sold", "Stripe does not accept this quantity.", False)
URL = Cause("", "url_not_accepted", "Stripe does not accept this URL.", False)
PRICE = Cause("price", "price_inactive", "This price is not for sale.")
METER = Cause("meter", "meter_inactive", "The meter of this price is not active.")
TAX = Cause("tax", "tax_not_configured", "Tax can't be computed for this purchase.")
AMOUNT = Cause("amount", "amount_too_small", "The total is below Stripe's minimum amount.")
LIMIT = Cause("subscription", "too_many_subscriptions", "The customer has too many subscriptions.")
METHODS = Cause("payment_method", "no_payment_method", "No payment method fits this purchase.")
PORTAL = Cause("configuration", "portal_not_configured", "The portal is not set up at Stripe.")

_RULES = (
    _Rule(CURRENCY, "", "", "combine currencies|customer('s)? currency"),
    _Rule(
        PROMOTION_CODE,
        "promotion_code_.*|promo_code_.*",
        r"\bpromotion_code\b",
        r"promo(tion)? code",
    ),
    _Rule(COUPON, "coupon_.*", r"\bcoupon\b|^discounts", r"\bcoupon"),
    _Rule(EMAIL, "email_invalid", r"(^|_|\b)email\b", "invalid email"),
    _Rule(
        TAX,
        ".*tax_location_invalid|stripe_tax_inactive|tax(es)?_calculation_failed|invalid_tax_location",
        "^automatic_tax",
        "automatic tax|tax calculation|stripe tax|head office|origin address",
    ),
    _Rule(ADDRESS, ".*address_invalid", "^(address|shipping)\\b", ""),
    _Rule(
        METER,
        "archived_meter|no_meter|meter_(inactive|archived)",
        r"\bmeter\b",
        r"\bmeter\b.*(inactive|not active|archived|deactivated)|no such meter",
    ),
    _Rule(QUANTITY, "amount_too_large", r"\bquantity\b", ""),
    _Rule(AMOUNT, "amount_too_small", "", "total amount must|amount must be at least"),
    _Rule(
        PRICE,
        "(price|product|plan)_(inactive|archived|not_active)",
        r"\b(price|product|plan)\b",
        r"(price|product|plan)\b.*(inactive|not active|archived)|no such (price|product|plan)\b",
    ),
    _Rule(URL, "url_invalid", f"^({_URLS})$", ""),
    _Rule(NAME, "", "^name$", ""),
    _Rule(LIMIT, "customer_max_subscriptions", "", ""),
    _Rule(METHODS, "", "^payment_method_(types|configuration)", "payment method types"),
    _Rule(PORTAL, "", "^(configuration|features)\\b", "portal.*(settings|configuration)"),
)


def find_cause(answer: StripeAnswer) -> Cause | None:
    """Return the cause of a refusal, None if unknown."""
    if answer.status not in _REFUSALS:
        return None
    found = next((rule.cause for rule in _RULES if rule.matches(answer)), None)
    if found is URL:
        return Cause(answer.param or "url", URL.code, URL.message, is_sellers=False)
    return found
