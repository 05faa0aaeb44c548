"""A change of price or quantity: the request, and the resulting items."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from gateway.billing.subscriptions.subscription import CustomerSubscription
from gateway.rows import Json
from gateway.stripe_api.fields import as_dict, as_list, stripe_id

#: When a change takes effect: at once, or when the paid period ends.
When = Literal["now", "period_end"]


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """The caller's request; "" and None keep the present value."""

    #: A price id or lookup key.
    price: str = ""
    quantity: int | None = None
    #: The subscription item, needed if there are several.
    item: str = ""
    when: When = "now"


@dataclass(frozen=True, slots=True)
class ItemChange:
    """An item after the change."""

    item: Json
    price: str
    #: None for a metered price, which has no quantity.
    quantity: int | None
    #: Other items paid per member, whose quantity at Stripe is out of date: (id, quantity).
    corrections: tuple[tuple[str, int], ...] = ()
    #: The ids of the prices paid per member, among those after the change.
    by_member: tuple[str, ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether the change differs from the present item."""
        return not self._is_shown_by(self.item)

    @property
    def only_adds(self) -> bool:
        """Whether no quantity decreases, so that the total is not a credit."""
        present = self.item.get("quantity") or 0
        is_more = (self.quantity or 0) >= present and not self.corrections
        return self.price == stripe_id(self.item.get("price")) and is_more

    @property
    def params(self) -> Any:
        """The item as request parameters, without an unchanged price: it may be archived."""
        params: dict[str, Any] = {"id": stripe_id(self.item)}
        if self.price != stripe_id(self.item.get("price")):
            params["price"] = self.price
        return params if self.quantity is None else params | {"quantity": self.quantity}

    @property
    def all_params(self) -> list[Any]:
        """All items that differ, as request parameters."""
        corrected = [{"id": item, "quantity": quantity} for item, quantity in self.corrections]
        return [self.params, *corrected]

    @property
    def fingerprint(self) -> str:
        """A text that is equal for equal changes."""
        return repr((stripe_id(self.item), self.price, self.quantity, self.corrections))

    def waits_in(self, subscription: CustomerSubscription) -> bool:
        """Whether the same change is already pending until its invoice is paid."""
        pending = as_dict(subscription.body.get("pending_update")).get("subscription_items")
        return self.is_shown_by(as_list(pending))

    def is_shown_by(self, items: Iterable[Json]) -> bool:
        """Whether these subscription items have the change already."""
        return any(
            stripe_id(item) == stripe_id(self.item) and self._is_shown_by(item) for item in items
        )

    def _is_shown_by(self, item: Json) -> bool:
        return (stripe_id(item.get("price")), item.get("quantity")) == (self.price, self.quantity)
