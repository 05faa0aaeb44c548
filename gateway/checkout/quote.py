"""The checkout policy: which prices are sold to a buyer, and on which terms. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gateway.checkout.lines import (
    Item,
    Line,
    Mode,
    check_quantities,
    merge_lines,
    mode_of,
    resolve_items,
)
from gateway.checkout.purchase_history import PurchaseHistory
from gateway.customers.buyer import Price
from gateway.errors import Conflict, Unauthenticated, invalid_field
from gateway.price_terms import PriceTerms, TermsFile


class AlreadySubscribed(Conflict):
    """You already have a running subscription."""

    example_members = MappingProxyType(
        {"portal_url": "https://billing.stripe.com/p/session/test_a1b2c3"}
    )
    #: The Stripe customer of that subscription, "" if unknown.
    customer: str = ""


class AlreadyBought(Conflict):
    """You have bought this already."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The lines of a purchase, and the terms for all of them together."""

    mode: Mode
    lines: tuple[Line, ...] = ()
    #: Of a setup session, which has no prices: a lower-case ISO code.
    currency: str = ""
    trial_days: int = 0
    #: The id of a coupon, "" for none.
    coupon: str = ""
    #: Whether Stripe's page accepts promotion codes.
    promotion_codes: bool = False
    #: The Stripe id of the order's promotion code, "" for none.
    promotion_code: str = ""
    #: ISO 3166 codes of the countries of delivery; empty if nothing is delivered.
    countries: tuple[str, ...] = ()
    automatic_tax: bool = False
    tax_ids: bool = False
    billing_address: bool = False
    expires_minutes: int = 1440
    #: Whether a payer may have one such purchase pending only.
    is_exclusive: bool = False


def build_quote(
    items: Sequence[Item],
    prices: Sequence[Price],
    terms_file: TermsFile,
    history: PurchaseHistory,
    seats: int = 0,
) -> Quote:
    """Return the quote for an order.

    The prices decide the mode. A buyer gets one trial ever, and only if all recurring lines have
    one. A running subscription of a group with one subscription per buyer excludes another.

    Args:
        prices: the mirrored prices that the items name.
        seats: the quantity of prices that an organization pays per member; 0 for a user.

    Raises:
        InvalidRequest: an item is not for sale, not in this quantity, or not with the others;
            ``data`` names it.
        AlreadySubscribed: a subscription of the group is running.
        AlreadyBought: an item is sold once per buyer, and the buyer has bought it.
        Unauthenticated: an item is not sold to guests.
    """
    found = resolve_items(items, prices, terms_file, seats)
    check_quantities(found)
    lines = merge_lines(found)
    _require_one_currency(lines)
    if history.is_guest:
        _require_sold_to_guests(lines)
    once = [line for line in lines if line.price.type == "one_time" and line.terms.once_per_buyer]
    _require_not_bought(once, history)
    recurring = [line.terms for line in lines if line.price.type == "recurring"]
    single = {terms.group for terms in recurring if terms.subscriptions == "one"}
    _require_not_subscribed(single, history, terms_file)
    trial_days = min((terms.trial_days for terms in recurring), default=0)
    trial_days = 0 if history.trial_used else trial_days
    coupons = {line.terms.coupon for line in lines}
    coupon = coupons.pop() if len(coupons) == 1 else ""
    return Quote(
        mode=mode_of(lines),
        lines=lines,
        trial_days=trial_days,
        coupon=coupon,
        promotion_codes=not coupon and all(line.terms.promotion_codes for line in lines),
        countries=_find_common_countries(lines),
        automatic_tax=any(line.terms.automatic_tax for line in lines),
        tax_ids=any(line.terms.tax_ids for line in lines),
        billing_address=any(line.terms.billing_address for line in lines),
        expires_minutes=min(line.terms.expires_minutes for line in lines),
        is_exclusive=bool(single) or trial_days > 0 or bool(once),
    )


def require_promotion_codes(quote: Quote) -> None:
    """Refuse an order's promotion code if the terms do not allow one.

    Raises:
        InvalidRequest
    """
    if not quote.promotion_codes:
        message = "Promotion codes are not accepted for this purchase."
        raise invalid_field("promotion_code", "promotion_code_not_taken", message)


def _require_one_currency(lines: Sequence[Line]) -> None:
    for place, line in enumerate(lines):
        if line.price.currency != lines[0].price.currency:
            message = "All prices of a purchase must have the same currency."
            raise invalid_field(f"items.{place}.price", "currency_mixed", message)


def _require_sold_to_guests(lines: Sequence[Line]) -> None:
    for line in lines:
        if not line.terms.guests:
            message = "Sign in to buy this."
            reason = {"code": "sign_in_required", "message": message}
            raise Unauthenticated(message, {f"items.{line.place}.price": reason})


def _require_not_bought(once: Sequence[Line], history: PurchaseHistory) -> None:
    bought = _list_bought(history)
    for line in once:
        product = _product_of(line.price)
        if product in bought or line.price.stripe_id in bought:
            message = "This is sold once per buyer, and you have bought it or are paying for it."
            reason = {"code": "already_bought", "message": message}
            raise AlreadyBought(message, {f"items.{line.place}.price": reason})
        bought.add(product)


def _list_bought(history: PurchaseHistory) -> set[str]:
    """Return the ids of the products that were bought, of prices for those without a product."""
    known = {price.stripe_id: price for price in history.prices}
    return {_product_of(known.get(name)) or name for name in history.bought}


def _product_of(price: Price | None) -> str:
    return (price.product or price.stripe_id) if price else ""


def is_excluded(prices: Sequence[Price], history: PurchaseHistory, terms_file: TermsFile) -> bool:
    """Return whether a subscription or one-time purchase excludes a purchase of these prices."""
    terms = [(price, terms_file.find(price) or PriceTerms()) for price in prices]
    once = [price for price, each in terms if price.type == "one_time" and each.once_per_buyer]
    bought = _list_bought(history)
    if any({_product_of(price), price.stripe_id} & bought for price in once):
        return True
    recurring = [each for price, each in terms if price.type == "recurring"]
    single = {each.group for each in recurring if each.subscriptions == "one"}
    held = (_groups_of(each, history, terms_file) for each in history.subscriptions)
    return any(single & groups for groups in held)


def _require_not_subscribed(
    single: set[str], history: PurchaseHistory, terms_file: TermsFile
) -> None:
    """Refuse a second subscription of a group; the error names the first one's customer."""
    for place, prices in enumerate(history.subscriptions):
        if single & _groups_of(prices, history, terms_file):
            refused = AlreadySubscribed(
                "Change the running subscription instead of buying another."
            )
            refused.customer = history.customers[place] if history.customers else ""
            raise refused


def _groups_of(prices: Sequence[str], history: PurchaseHistory, terms_file: TermsFile) -> set[str]:
    """Return the groups of a subscription's prices; unknown prices have the default group."""
    known = {price.stripe_id: price for price in history.prices}
    found = ((name in known and terms_file.find(known[name])) or PriceTerms() for name in prices)
    return {terms.group for terms in found}


def _find_common_countries(lines: Sequence[Line]) -> tuple[str, ...]:
    """Return the countries to which all lines with a limit can be delivered."""
    limited = [[code.upper() for code in line.terms.countries] for line in lines]
    limited = [codes for codes in limited if codes]
    if not limited:
        return ()
    common = tuple(code for code in limited[0] if all(code in codes for codes in limited))
    if not common:
        message = "These can't be delivered to the same country."
        raise invalid_field("items", "countries_apart", message)
    return common
