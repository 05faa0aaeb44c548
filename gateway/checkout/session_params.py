"""The parameters of a Stripe Checkout Session. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gateway.checkout.lines import Line
from gateway.checkout.quote import Quote
from gateway.vocabulary import (
    ATTEMPT_METADATA,
    GUEST_METADATA,
    ITEM_METADATA,
    KEY_METADATA,
    ORGANIZATION_METADATA,
    USER_METADATA,
)

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItem

#: Stripe's own names since 2026-03-25.dahlia.
UiMode = Literal["hosted_page", "embedded_page", "elements"]

#: Stripe's limit for `adjustable_quantity`.
_MAX_ADJUSTABLE = 999_999
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    """The kind of page, and the addresses to which it redirects; "" for none."""

    ui_mode: UiMode = "hosted_page"
    success_url: str = ""
    cancel_url: str = ""
    return_url: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True)
class SessionPayer:
    """The user, organization and customer of a session; all are empty for a guest."""

    user: str = ""
    #: The paying organization's record id, "" if the user pays.
    organization: str = ""
    customer: str = ""
    #: The number of an exclusive purchase, 0 for any other.
    number: int = 0
    #: Distinguishes exclusive one-time purchases with different Idempotency-Keys.
    key: str = ""


def build_params(
    quote: Quote, payer: SessionPayer, page: CheckoutPage, since: int
) -> "SessionCreateParams":
    """Return the parameters; payment methods are left to the settings of Stripe's dashboard.

    Args:
        since: Unix seconds from which `Quote.expires_minutes` count.
    """
    params: SessionCreateParams = {
        "mode": quote.mode,
        "ui_mode": page.ui_mode,
        "metadata": _metadata(payer) | _name_items(quote.lines),
    }
    _add_page(params, page)
    _add_payer(params, payer, quote)
    _add_terms(params, quote)
    _add_copies(params, quote, payer)
    if quote.lines:
        params["line_items"] = [_line_item(line) for line in quote.lines]
    if quote.currency:
        params["currency"] = quote.currency
    # A day is Stripe's default and maximum.
    if quote.expires_minutes * 60 < _DAY_SECONDS:
        params["expires_at"] = since + quote.expires_minutes * 60
    return params


def _name_items(lines: Sequence[Line]) -> dict[str, str]:
    """Return metadata for the one-time prices: entitlements are computed from it."""
    once = (line for line in lines if line.price.type == "one_time")
    return {
        f"{ITEM_METADATA}{place}": f"{line.price.stripe_id}:{line.quantity}"
        for place, line in enumerate(once, 1)
    }


def _add_page(params: "SessionCreateParams", page: CheckoutPage) -> None:
    if page.ui_mode == "hosted_page":
        params["success_url"] = page.success_url
        params["cancel_url"] = page.cancel_url
    else:
        params["return_url"] = page.return_url
    if page.locale:
        params["locale"] = page.locale


def _add_payer(params: "SessionCreateParams", payer: SessionPayer, quote: Quote) -> None:
    if payer.user:
        params["client_reference_id"] = payer.user
    if not payer.customer:
        if quote.mode == "payment":
            # The customer's address links the purchase to a user later; subscriptions always
            # create a customer.
            params["customer_creation"] = "always"
        return
    params["customer"] = payer.customer
    if quote.automatic_tax or quote.tax_ids or quote.billing_address or quote.countries:
        params["customer_update"] = {"address": "auto", "name": "auto"}
        if quote.countries:
            params["customer_update"]["shipping"] = "auto"


def _add_terms(params: "SessionCreateParams", quote: Quote) -> None:
    if quote.coupon:
        params["discounts"] = [{"coupon": quote.coupon}]
    elif quote.promotion_code:
        params["discounts"] = [{"promotion_code": quote.promotion_code}]
    elif quote.promotion_codes:
        params["allow_promotion_codes"] = True
    if quote.automatic_tax:
        params["automatic_tax"] = {"enabled": True}
    if quote.tax_ids:
        params["tax_id_collection"] = {"enabled": True}
    if quote.billing_address:
        params["billing_address_collection"] = "required"
    if quote.countries:
        params["shipping_address_collection"] = {"allowed_countries": list(quote.countries)}


def _add_copies(params: "SessionCreateParams", quote: Quote, payer: SessionPayer) -> None:
    """Add the metadata to the objects that the session creates: Stripe does not copy it."""
    metadata = _metadata(payer)
    if quote.mode == "subscription":
        params["subscription_data"] = {"metadata": metadata}
        if quote.trial_days:
            params["subscription_data"]["trial_period_days"] = quote.trial_days
    elif quote.mode == "payment":
        params["payment_intent_data"] = {"metadata": metadata}
    else:
        params["setup_intent_data"] = {"metadata": metadata}


def _metadata(payer: SessionPayer) -> dict[str, str]:
    found: Mapping[str, str] = {
        USER_METADATA: payer.user,
        ORGANIZATION_METADATA: payer.organization,
        ATTEMPT_METADATA: str(payer.number or ""),
        KEY_METADATA: payer.key,
        GUEST_METADATA: "" if payer.user else "true",
    }
    return {name: text for name, text in found.items() if text}


def _line_item(line: Line) -> "SessionCreateParamsLineItem":
    item: SessionCreateParamsLineItem = {"price": line.price.stripe_id}
    if line.price.usage_type == "metered":
        return item
    item["quantity"] = line.quantity
    # One-time prices entitle to the quantity in the session's metadata, which is set beforehand;
    # seats follow the number of members.
    is_open = line.terms.adjustable and not line.is_by_member
    if is_open and line.price.type == "recurring":
        item["adjustable_quantity"] = {
            "enabled": True,
            "minimum": line.terms.min_quantity,
            "maximum": min(line.terms.max_quantity, _MAX_ADJUSTABLE),
        }
    return item
