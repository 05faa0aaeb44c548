"""The change policy: what a new price or quantity does to a subscription's items."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.billing.subscriptions.item_change import ChangeRequest, ItemChange
from gateway.billing.subscriptions.quantity import (
    check_quantity,
    correct_others,
    count_present,
    count_seats,
    find_by_member,
)
from gateway.billing.subscriptions.state_checks import require_changeable, require_settled
from gateway.billing.subscriptions.subscription import CustomerSubscription, conflict
from gateway.customers.buyer import Price, read_buyer
from gateway.errors import invalid_field
from gateway.price_terms import PriceTerms, TermsFile
from gateway.rows import Json
from gateway.services import Services
from gateway.stripe_api.fields import as_dict, as_text, stripe_id


async def read_change(
    services: Services, token: str, subscription: CustomerSubscription, request: ChangeRequest
) -> ItemChange:
    """Read the prices, and return the change; see `decide_change`.

    Raises:
        Conflict, InvalidRequest, Unauthenticated, PocketBaseUnavailable
    """
    present = [stripe_id(item.get("price")) for item in subscription.items]
    names = [request.price, *present] if request.price else present
    buyer = await read_buyer(
        services.pocketbase,
        token,
        names,
        subscription=subscription.stripe_id,
        others=bool(request.price),
    )
    held = buyer.subscription.other_prices if buyer.subscription else ()
    return decide_change(subscription, request, buyer.prices, services.terms_file, held)


def decide_change(
    subscription: CustomerSubscription,
    request: ChangeRequest,
    prices: Sequence[Price],
    terms_file: TermsFile,
    held: Sequence[str] = (),
) -> ItemChange:
    """Return the change of the requested item. Pure.

    Args:
        prices: the mirrored ones of the request, the subscription and `held`.
        held: the Stripe ids of the prices of the payer's other subscriptions.

    Raises:
        Conflict: the state of the subscription forbids changes, or another subscription excludes
            the price.
        InvalidRequest: the request names no item, a price that does not fit, or a quantity that is
            not sold.
    """
    require_changeable(subscription)
    if request.when == "now":
        require_settled(subscription)
    if not request.price and request.quantity is None:
        raise invalid_field("price", "required", "Send a price or a quantity.")
    item = _find_item(subscription.items, request.item)
    present = _find(stripe_id(item.get("price")), prices)
    price = present
    if request.price:
        price = _find(request.price, prices)
        if price is None:
            raise invalid_field("price", "price_unknown", "This price is not for sale.")
        if price != present:
            _check_price(subscription, item, price)
            _check_terms(price, present, terms_file)
            others = [_find(name, prices) for name in held]
            _check_group(price, present, others, terms_file)
    change = _decide(subscription, item, (present, price), request, terms_file)
    by_member = find_by_member(subscription, change, prices)
    return replace(
        change,
        corrections=correct_others(subscription, change, by_member, prices, terms_file),
        by_member=by_member,
    )


def _decide(
    subscription: CustomerSubscription,
    item: Json,
    prices: tuple[Price | None, Price | None],
    request: ChangeRequest,
    terms_file: TermsFile,
) -> ItemChange:
    present, price = prices
    shown = as_dict(item.get("price"))
    usage = price.usage_type if price else as_dict(shown.get("recurring")).get("usage_type")
    name = price.stripe_id if price else stripe_id(shown)
    if usage == "metered":
        if request.quantity is not None:
            raise invalid_field(
                "quantity",
                "quantity_metered",
                "A metered price has no quantity: reported usage is billed.",
            )
        return ItemChange(item, name, None)
    terms = _terms_of(price, terms_file)
    if price and subscription.seats and price.is_by_member:
        if request.quantity is not None:
            message = "The quantity is the number of members and can't be chosen."
            raise invalid_field("quantity", "quantity_by_member", message)
        return check_quantity(ItemChange(item, name, count_seats(subscription, terms)), terms)
    quantity = request.quantity or count_present(subscription, item, present)
    return check_quantity(ItemChange(item, name, quantity), terms)


def _find_item(items: Sequence[Json], wanted: str) -> Json:
    if not wanted:
        if len(items) != 1:
            raise invalid_field(
                "item", "item_required", "The subscription has several items: send the id of one."
            )
        return items[0]
    for item in items:
        if stripe_id(item) == wanted:
            return item
    raise invalid_field("item", "item_unknown", "The subscription has no such item.")


def _find(name: str, prices: Sequence[Price]) -> Price | None:
    known = {price.stripe_id: price for price in prices}
    known |= {price.lookup_key: price for price in prices if price.lookup_key and price.active}
    return known.get(name)


def _check_price(subscription: CustomerSubscription, item: Json, price: Price) -> None:
    """Check that the price fits into the subscription."""
    if price.type != "recurring":
        raise invalid_field("price", "price_not_recurring", "This price is not recurring.")
    if price.currency != as_text(subscription.body.get("currency")):
        raise invalid_field("price", "price_currency", "This price is in another currency.")
    others = {stripe_id(other.get("price")) for other in subscription.items if other is not item}
    if price.stripe_id in others:
        raise invalid_field(
            "price", "price_taken", "Another item of the subscription has this price."
        )


def _check_terms(price: Price, present: Price | None, terms_file: TermsFile) -> None:
    """Check that the price is for sale, and in the group of the present one."""
    terms = terms_file.find(price)
    if terms is None or not terms.sells(price):
        raise invalid_field("price", "price_inactive", "This price is not for sale.")
    before = _terms_of(present, terms_file)
    # Otherwise a change could bypass the limit of one subscription per group.
    if terms.subscriptions == "one" and terms.group != before.group:
        raise invalid_field(
            "price",
            "price_of_another_group",
            "This price belongs to another group: buy it separately.",
        )


def _check_group(
    price: Price, present: Price | None, others: Sequence[Price | None], terms_file: TermsFile
) -> None:
    """Refuse a price that allows one subscription of its group while the payer has another.

    A change between two such prices adds none, so it is allowed.
    """
    terms, before = _terms_of(price, terms_file), _terms_of(present, terms_file)
    if terms.subscriptions == "many" or before.subscriptions == "one":
        return
    if any(_terms_of(other, terms_file).group == terms.group for other in others):
        raise conflict(
            "already_subscribed",
            "Another subscription excludes this price: change or cancel that one first.",
        )


def _terms_of(price: Price | None, terms_file: TermsFile) -> PriceTerms:
    """Return the terms of a price, the default ones if it is unknown."""
    return (price and terms_file.find(price)) or PriceTerms()
