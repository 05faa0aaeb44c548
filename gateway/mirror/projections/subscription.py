"""Subscriptions: items, status and periods."""

from gateway.dates import as_unix, unix_to_column
from gateway.mirror.projections.discount import read_discounts
from gateway.mirror.projections.payer import named_payer
from gateway.rows import Changes, Json, OwnershipClaim, Row
from gateway.stripe_api.fields import (
    as_dict,
    as_list,
    as_number,
    as_text,
    item_price,
    relation,
    stripe_id,
    subscription_cancel_at,
    subscription_period,
)
from gateway.vocabulary import ENDED_SUBSCRIPTION


def project_subscription(subscription: Json, deleted: bool) -> Changes:
    """``price`` and ``quantity`` are the first item's; ``items`` has all of them.

    ``cancellation_details`` is hidden from users: its comment may be the seller's.
    """
    items = as_list(subscription.get("items"))
    first = items[0] if items else subscription
    start, end = subscription_period(subscription)
    cancellation = as_dict(subscription.get("cancellation_details"))
    status = "canceled" if deleted else as_text(subscription.get("status"))
    values = {
        "customer": relation(subscription.get("customer")),
        "status": status,
        "price": relation(item_price(first)),
        "quantity": as_number(first.get("quantity")),
        "items": [_item(item, subscription) for item in items],
        "has_more": as_dict(subscription.get("items")).get("has_more") is True,
        "currency": as_text(subscription.get("currency")),
        "discounts": read_discounts(subscription),
        "default_payment_method": relation(subscription.get("default_payment_method")),
        "start_date": unix_to_column(subscription.get("start_date")),
        "current_period_start": start,
        "current_period_end": end,
        "cancel_at_period_end": bool(subscription.get("cancel_at_period_end")),
        "cancel_at": subscription_cancel_at(subscription),
        "canceled_at": unix_to_column(subscription.get("canceled_at")),
        "ended_at": unix_to_column(subscription.get("ended_at")),
        "cancellation_reason": as_text(cancellation.get("reason")),
        "cancellation_details": cancellation if any(cancellation.values()) else None,
        "trial_start": unix_to_column(subscription.get("trial_start")),
        "trial_end": unix_to_column(subscription.get("trial_end")),
        "pause_collection": as_dict(subscription.get("pause_collection")) or None,
        "metadata": as_dict(subscription.get("metadata")),
        "created": unix_to_column(subscription.get("created")),
    }
    row = Row("subscriptions", stripe_id(subscription), values, final=status in ENDED_SUBSCRIPTION)
    return Changes(row, _claims(subscription))


def _item(item: Json, subscription: Json) -> Json:
    price = item_price(item)
    start = item.get("current_period_start") or subscription.get("current_period_start")
    end = item.get("current_period_end") or subscription.get("current_period_end")
    return {
        "id": stripe_id(item),
        "price": stripe_id(price),
        "product": stripe_id(price.get("product")),
        "quantity": item.get("quantity"),
        "current_period_start": unix_to_column(start),
        "current_period_end": unix_to_column(end),
    }


def _claims(subscription: Json) -> tuple[OwnershipClaim, ...]:
    named = named_payer(as_dict(subscription.get("metadata")))
    customer = stripe_id(subscription.get("customer"))
    since = as_unix(subscription.get("created"))
    is_named = any(named.values()) and customer
    return (OwnershipClaim(customer, **named, since=since),) if is_named else ()
