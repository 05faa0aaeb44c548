"""Limits of a subscription's items, and parameters that exclude each other."""

from stripe_simulator.errors import invalid
from stripe_simulator.settings import DAY
from stripe_simulator.snapshots import JSON

MAX_ITEMS = 20
MAX_TRIAL_DAYS = 730


def check_items(items: list[JSON], currency: str) -> None:
    """Refuse too many items, a price twice, one that recurs never, or another currency."""
    if len(items) > MAX_ITEMS:
        message = f"A subscription can have at most {MAX_ITEMS} items."
        raise invalid(message, "items")
    prices = [item["price"] for item in items]
    for place, price in enumerate(prices):
        name = f"items[{place}][price]"
        check_recurring(price, name)
        if price["currency"] != currency:
            message = f"The price specified is in `{price['currency']}`, not in `{currency}`."
            raise invalid(message, name)
    if len({price["id"] for price in prices}) < len(prices):
        raise invalid("Cannot add multiple subscription items with the same price.", "items")


def check_recurring(price: JSON, name: str = "items[0][price]") -> None:
    """Refuse a price that is paid once."""
    if price["type"] != "recurring":
        message = (
            "The price specified is set to `type=one_time` but this field only accepts prices "
            "with `type=recurring`."
        )
        raise invalid(message, name)


def check_dates(params: JSON, now: int) -> None:
    """Refuse ends that are over, too far ahead, or named twice."""
    if params.get("cancel_at") and params.get("cancel_at_period_end"):
        raise invalid("You may only specify one of these: cancel_at, cancel_at_period_end.")
    if params.get("trial_end") and params.get("trial_period_days"):
        raise invalid("You may only specify one of these: trial_end, trial_period_days.")
    for name in ("cancel_at", "trial_end"):
        when = params.get(name)
        if isinstance(when, int) and when <= now:
            raise invalid("Invalid timestamp: must be in the future.", name)
    days = int(params.get("trial_period_days") or 0)
    end = params.get("trial_end")
    if days > MAX_TRIAL_DAYS or (isinstance(end, int) and end > now + MAX_TRIAL_DAYS * DAY + DAY):
        raise invalid(f"Trials can last at most {MAX_TRIAL_DAYS} days.", "trial_end")


def check_collection(sub: JSON, params: JSON) -> None:
    """Refuse to send invoices without a due date, or to date what is charged."""
    sends = sub["collection_method"] == "send_invoice"
    if sends and sub["days_until_due"] is None:
        message = "When `collection_method` is `send_invoice`, `days_until_due` is required."
        raise invalid(message, "days_until_due", "parameter_missing")
    if not sends and params.get("days_until_due"):
        message = "`days_until_due` is only for the `send_invoice` collection method."
        raise invalid(message, "days_until_due")
    if sends and params.get("payment_behavior") in ("pending_if_incomplete", "error_if_incomplete"):
        message = (
            "You can only pass `payment_behavior` when `collection_method` is "
            "`charge_automatically`."
        )
        raise invalid(message, "payment_behavior")
