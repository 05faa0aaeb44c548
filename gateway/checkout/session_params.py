"""The parameters of a Stripe Checkout session. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gateway.checkout.quote import Line, Quote
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

#: What Stripe's page takes at the most where the quantity can be changed.
_MOST_ADJUSTABLE = 999_999
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    """Where the purchase takes place, and where it leads back to."""

    ui_mode: UiMode = "hosted_page"
    success_url: str = ""
    cancel_url: str = ""
    return_url: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True)
class SessionPayer:
    """Who the session is for; a guest is neither user nor customer."""

    user: str = ""
    #: The organization that the user buys for, if they do.
    organization: str = ""
    customer: str = ""
    #: The number of the exclusive purchase, 0 for any other.
    attempt: int = 0
    #: Distinguishes sessions of one order with different Idempotency-Keys.
    key: str = ""


def build_params(
    offer: Quote, payer: SessionPayer, page: CheckoutPage, since: int, currency: str = ""
) -> "SessionCreateParams":
    """Return what to create; the payment methods are the seller's choice in Stripe's dashboard.

    Args:
        since: Unix seconds from which the offer's time to expire runs.
        currency: of a setup session, which has no prices.
    """
    params: SessionCreateParams = {
        "mode": offer.mode,
        "ui_mode": page.ui_mode,
        "metadata": _metadata(payer) | _name_items(offer.lines),
    }
    _add_page(params, page)
    _add_payer(params, payer, offer)
    _add_terms(params, offer)
    _add_copies(params, offer, payer)
    if offer.lines:
        params["line_items"] = [_line_item(line) for line in offer.lines]
    if currency:
        params["currency"] = currency
    # A day is Stripe's own, and the most it takes.
    if offer.expires_minutes * 60 < _DAY:
        params["expires_at"] = since + offer.expires_minutes * 60
    return params


def _name_items(lines: Sequence[Line]) -> dict[str, str]:
    """Recurring ones are in the subscription."""
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


def _add_payer(params: "SessionCreateParams", payer: SessionPayer, offer: Quote) -> None:
    if payer.user:
        params["client_reference_id"] = payer.user
    if not payer.customer:
        if offer.mode == "payment":
            # Subscriptions have one in any case; the address leads the purchase to its user.
            params["customer_creation"] = "always"
        return
    params["customer"] = payer.customer
    if offer.automatic_tax or offer.tax_ids or offer.billing_address or offer.countries:
        params["customer_update"] = {"address": "auto", "name": "auto"}
        if offer.countries:
            params["customer_update"]["shipping"] = "auto"


def _add_terms(params: "SessionCreateParams", offer: Quote) -> None:
    if offer.coupon:
        params["discounts"] = [{"coupon": offer.coupon}]
    elif offer.promotion_code:
        params["discounts"] = [{"promotion_code": offer.promotion_code}]
    elif offer.promotion_codes:
        params["allow_promotion_codes"] = True
    if offer.automatic_tax:
        params["automatic_tax"] = {"enabled": True}
    if offer.tax_ids:
        params["tax_id_collection"] = {"enabled": True}
    if offer.billing_address:
        params["billing_address_collection"] = "required"
    if offer.countries:
        params["shipping_address_collection"] = {"allowed_countries": list(offer.countries)}


def _add_copies(params: "SessionCreateParams", offer: Quote, payer: SessionPayer) -> None:
    """Stripe copies a session's metadata to nothing by itself."""
    metadata = _metadata(payer)
    if offer.mode == "subscription":
        params["subscription_data"] = {"metadata": metadata}
        if offer.trial_days:
            params["subscription_data"]["trial_period_days"] = offer.trial_days
    elif offer.mode == "payment":
        params["payment_intent_data"] = {"metadata": metadata}
    else:
        params["setup_intent_data"] = {"metadata": metadata}


def _metadata(payer: SessionPayer) -> dict[str, str]:
    found: Mapping[str, str] = {
        USER_METADATA: payer.user,
        ORGANIZATION_METADATA: payer.organization,
        ATTEMPT_METADATA: str(payer.attempt or ""),
        KEY_METADATA: payer.key,
        GUEST_METADATA: "" if payer.user else "true",
    }
    return {name: text for name, text in found.items() if text}


def _line_item(line: Line) -> "SessionCreateParamsLineItem":
    item: SessionCreateParamsLineItem = {"price": line.price.stripe_id}
    if line.price.usage_type == "metered":
        return item
    item["quantity"] = line.quantity
    # What is sold once entitles by the metadata's quantity, which is said before the page opens.
    # Members decide about seats.
    is_open = line.plan.adjustable and not line.is_by_member
    if is_open and line.price.type == "recurring":
        item["adjustable_quantity"] = {
            "enabled": True,
            "minimum": line.plan.min_quantity,
            "maximum": min(line.plan.max_quantity, _MOST_ADJUSTABLE),
        }
    return item
