"""The discounts of a subscription or invoice, in the shapes of all API versions."""

from gateway.dates import unix_to_column
from gateway.rows import Json
from gateway.stripe_api.fields import as_dict, as_list, as_number, stripe_id


def read_discounts(item: Json) -> list[Json]:
    """Return the discounts of an object.

    ``discounts`` lists ids, or objects where they are expanded; until basil ``discount`` was one
    object.
    """
    found = item.get("discounts")
    given = found if isinstance(found, list) and found else [item.get("discount")]
    return [_read_discount(each) for each in given if stripe_id(each)]


def read_invoice_discounts(invoice: Json) -> list[Json]:
    """Return the discounts of an invoice, each with the amount that it takes off in all."""
    taken = {
        stripe_id(each.get("discount")): each
        for each in as_list(invoice.get("total_discount_amounts"))
    }
    known = {each["id"]: each for each in read_discounts(invoice)}
    for found, each in taken.items():
        if found and found not in known:
            known[found] = _read_discount(each["discount"])
    return [
        {**each, "amount": as_number(taken.get(found, {}).get("amount"))}
        for found, each in known.items()
    ]


def _read_discount(discount: object) -> Json:
    """The coupon is under ``source`` since clover."""
    shown = as_dict(discount)
    coupon = as_dict(shown.get("source")).get("coupon") or shown.get("coupon")
    return {
        "id": stripe_id(discount),
        "coupon": stripe_id(coupon),
        "promotion_code": stripe_id(shown.get("promotion_code")),
        "start": unix_to_column(shown.get("start")),
        "end": unix_to_column(shown.get("end")),
    }
