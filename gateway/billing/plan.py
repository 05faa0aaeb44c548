"""What a change of plan or quantity means for a subscription's items, on the seller's terms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.billing.clerk import Clerk
from gateway.billing.subscription import OwnedSubscription, conflict, require_live
from gateway.buyer import Price, read_buyer
from gateway.errors import invalid_field
from gateway.plans import Plan, Plans
from gateway.shapes import listing, mapping, number, stripe_id, text
from gateway.writes import ORGANIZATION_METADATA, Json

#: Statuses in which what is owed is paid.
_PAID = ("active", "trialing")


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What the caller wants; "" and None leave things as they are."""

    #: A price id or lookup key.
    price: str = ""
    quantity: int | None = None
    #: Which subscription item, where there are several.
    item: str = ""


@dataclass(frozen=True, slots=True)
class ItemChange:
    """An item as it is to be."""

    item: Json
    price: str
    #: None for a metered price: usage says how much it is.
    quantity: int | None

    @property
    def is_new(self) -> bool:
        """Whether it differs from how the item is."""
        return not self._is_shown_by(self.item)

    @property
    def params(self) -> Any:
        """The item as Stripe takes it; an archived price may stay, but not be sent."""
        params: dict[str, Any] = {"id": stripe_id(self.item)}
        if self.price != stripe_id(self.item.get("price")):
            params["price"] = self.price
        return params if self.quantity is None else params | {"quantity": self.quantity}

    def waits_in(self, subscription: OwnedSubscription) -> bool:
        """Whether it was asked for before, and waits for its invoice to be paid."""
        pending = mapping(subscription.body.get("pending_update")).get("subscription_items")
        return any(
            stripe_id(item) == stripe_id(self.item) and self._is_shown_by(item)
            for item in listing(pending)
        )

    def _is_shown_by(self, item: Json) -> bool:
        return (stripe_id(item.get("price")), item.get("quantity")) == (self.price, self.quantity)


async def read_change(
    clerk: Clerk, token: str, subscription: OwnedSubscription, request: PlanRequest
) -> ItemChange:
    """Say which item becomes what; see `plan_change`.

    Raises:
        Conflict, InvalidRequest, Unauthenticated, PocketBaseUnavailable
    """
    present = [stripe_id(item.get("price")) for item in subscription.items]
    names = [request.price, *present] if request.price else present
    prices = (await read_buyer(clerk.pocketbase, token, names)).prices
    return plan_change(subscription, request, prices, clerk.plans)


def plan_change(
    subscription: OwnedSubscription, request: PlanRequest, prices: Sequence[Price], plans: Plans
) -> ItemChange:
    """Say which item becomes what. Pure.

    Raises:
        Conflict: the subscription can't change now.
        InvalidRequest: the request names nothing that can be changed, a price that does not fit,
            or a quantity that is not sold.
    """
    _require_changeable(subscription)
    if not request.price and request.quantity is None:
        raise invalid_field("price", "required", "Name a price or a quantity.")
    item = _find_item(subscription.items, request.item)
    present = _find(stripe_id(item.get("price")), prices)
    price = present
    if request.price:
        price = _find(request.price, prices)
        if price is None:
            raise invalid_field("price", "price_unknown", "This price is not for sale.")
        if price != present:
            _check_price(subscription, item, price)
            _check_terms(price, present, plans)
    return _decide(subscription, item, price, request, plans)


def _decide(
    subscription: OwnedSubscription,
    item: Json,
    price: Price | None,
    request: PlanRequest,
    plans: Plans,
) -> ItemChange:
    shown = mapping(item.get("price"))
    usage = price.usage_type if price else mapping(shown.get("recurring")).get("usage_type")
    name = price.stripe_id if price else stripe_id(shown)
    if usage == "metered":
        if request.quantity is not None:
            raise invalid_field(
                "quantity", "quantity_metered", "Usage says how much of it is billed."
            )
        return ItemChange(item, name, None)
    if request.quantity is not None and price and _is_by_member(subscription, price):
        message = "This is paid for each member of the organization."
        raise invalid_field("quantity", "quantity_by_member", message)
    quantity = request.quantity or int(number(item.get("quantity"))) or 1
    change = ItemChange(item, name, quantity)
    plan = (price and plans.find(price)) or Plan()
    if change.is_new and not plan.min_quantity <= quantity <= plan.max_quantity:
        bounds = f"from {plan.min_quantity} to {plan.max_quantity}"
        message = f"This price is sold in quantities {bounds}."
        raise invalid_field("quantity", "quantity_not_sold", message)
    return change


def _is_by_member(subscription: OwnedSubscription, price: Price) -> bool:
    metadata = mapping(subscription.body.get("metadata"))
    return ORGANIZATION_METADATA in metadata and price.is_by_member


def _require_changeable(subscription: OwnedSubscription) -> None:
    require_live(subscription)
    if subscription.body.get("schedule"):
        raise conflict("subscription_scheduled", "A schedule decides about this subscription.")
    if subscription.status not in _PAID:
        raise conflict("subscription_unpaid", "The subscription has to be paid first.")


def _find_item(items: Sequence[Json], wanted: str) -> Json:
    if not wanted:
        if len(items) != 1:
            raise invalid_field(
                "item", "item_required", "Say which item of the subscription it is."
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


def _check_price(subscription: OwnedSubscription, item: Json, price: Price) -> None:
    """Whether it fits into the subscription."""
    if price.type != "recurring":
        raise invalid_field(
            "price", "price_not_recurring", "This price is not one of a subscription."
        )
    if price.currency != text(subscription.body.get("currency")):
        raise invalid_field("price", "price_currency", "This price is in another currency.")
    others = {stripe_id(other.get("price")) for other in subscription.items if other is not item}
    if price.stripe_id in others:
        raise invalid_field(
            "price", "price_taken", "Another item of the subscription has this price."
        )


def _check_terms(price: Price, present: Price | None, plans: Plans) -> None:
    """Whether it is for sale to who has the present one."""
    plan = plans.find(price)
    if plan is None or not plan.sells(price):
        raise invalid_field("price", "price_inactive", "This price is not for sale.")
    before = (present and plans.find(present)) or Plan()
    # Else a change could lead to a second subscription where one is allowed.
    if plan.subscriptions == "one" and plan.group != before.group:
        raise invalid_field("price", "price_of_another_group", "This price is bought on its own.")
