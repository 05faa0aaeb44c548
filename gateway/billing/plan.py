"""What a change of plan or quantity means for a subscription's items. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.billing.subscription import OwnedSubscription, conflict, require_live
from gateway.buyer import Price
from gateway.errors import InvalidRequest
from gateway.shapes import listing, mapping, stripe_id, text
from gateway.writes import Json

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


def plan_change(
    subscription: OwnedSubscription, request: PlanRequest, prices: Sequence[Price]
) -> ItemChange:
    """Say which item becomes what.

    Raises:
        Conflict: the subscription can't change now.
        InvalidRequest: the request names nothing that can be changed, or a price that does not fit.
    """
    _require_changeable(subscription)
    if not request.price and request.quantity is None:
        raise _invalid("price", "required", "Name a price or a quantity.")
    item = _find_item(subscription.items, request.item)
    present = mapping(item.get("price"))
    price = _find_price(subscription, item, request.price, prices) if request.price else None
    metered = (
        price.usage_type if price else mapping(present.get("recurring")).get("usage_type")
    ) == "metered"
    if metered and request.quantity is not None:
        raise _invalid("quantity", "quantity_metered", "Usage says how much of this is billed.")
    quantity = request.quantity or item.get("quantity") or 1
    return ItemChange(
        item, price.stripe_id if price else stripe_id(present), None if metered else quantity
    )


def _require_changeable(subscription: OwnedSubscription) -> None:
    require_live(subscription)
    if subscription.body.get("schedule"):
        raise conflict("subscription_scheduled", "A schedule decides about this subscription.")
    if subscription.status not in _PAID:
        raise conflict("subscription_unpaid", "The subscription has to be paid first.")


def _find_item(items: Sequence[Json], wanted: str) -> Json:
    if not wanted:
        if len(items) != 1:
            raise _invalid("item", "item_required", "Say which item of the subscription it is.")
        return items[0]
    for item in items:
        if stripe_id(item) == wanted:
            return item
    raise _invalid("item", "item_unknown", "The subscription has no such item.")


def _find_price(
    subscription: OwnedSubscription, item: Json, name: str, prices: Sequence[Price]
) -> Price:
    known = {price.stripe_id: price for price in prices}
    known |= {price.lookup_key: price for price in prices if price.lookup_key and price.active}
    price = known.get(name)
    if price is None:
        raise _invalid("price", "price_unknown", "This price is not for sale.")
    present = stripe_id(item.get("price"))
    # Who has a price that is no longer sold may keep it.
    if not price.active and price.stripe_id != present:
        raise _invalid("price", "price_inactive", "This price is not for sale.")
    if price.type != "recurring":
        raise _invalid("price", "price_not_recurring", "This price is not one of a subscription.")
    if price.currency != text(subscription.body.get("currency")):
        raise _invalid("price", "price_currency", "This price is in another currency.")
    others = {stripe_id(other.get("price")) for other in subscription.items if other is not item}
    if price.stripe_id in others:
        raise _invalid("price", "price_taken", "Another item of the subscription has this price.")
    return price


def _invalid(field: str, code: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, {field: {"code": code, "message": message}})
