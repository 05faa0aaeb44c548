"""A checkout session: a purchase as the buyer went through it."""

from gateway.dates import as_unix, unix_to_column
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
)


def project_checkout_session(session: Json, deleted: bool) -> Changes:
    """A free purchase has no payment; ``payment_status`` is then ``no_payment_required``.

    Stripe shows ``line_items`` only when asked: without them the column stays.
    """
    named = named_payer(as_dict(session.get("metadata")))
    organization, ours = named["organization"], named["user"]
    user = "" if organization else as_text(session.get("client_reference_id")) or ours
    customer = stripe_id(session.get("customer"))
    values = {
        "customer": relation(customer),
        "mode": as_text(session.get("mode")),
        "status": as_text(session.get("status")),
        "payment_status": as_text(session.get("payment_status")),
        "currency": as_text(session.get("currency")),
        "amount_subtotal": as_number(session.get("amount_subtotal")),
        "total_details": _read_totals(session),
        "amount_total": as_number(session.get("amount_total")),
        **_read_line_items(session),
        "custom_fields": [_read_field(each) for each in as_list(session.get("custom_fields"))],
        "subscription": relation(session.get("subscription")),
        "payment": relation(session.get("payment_intent")),
        "setup_intent": relation(session.get("setup_intent")),
        "invoice": relation(session.get("invoice")),
        "email": as_text(as_dict(session.get("customer_details")).get("email"))
        or as_text(session.get("customer_email")),
        "locale": as_text(session.get("locale")),
        "presentment_details": as_dict(session.get("presentment_details")) or None,
        "client_reference_id": as_text(session.get("client_reference_id")),
        "payment_link": as_text(stripe_id(session.get("payment_link"))),
        "expires_at": unix_to_column(session.get("expires_at")),
        "metadata": as_dict(session.get("metadata")),
        "created": unix_to_column(session.get("created")),
    }
    rank = _rank(values["status"], values["payment_status"])
    row = Row("checkout_sessions", stripe_id(session), values, deleted, rank, user)
    # Any visitor can write a client_reference_id into a Payment Link's address or around a pricing
    # table: such a customer is the user's purchase, but never the one that /checkout and /portal
    # use. Metadata is the seller's alone.
    primary = user == ours and not values["payment_link"]
    since = as_unix(session.get("created"))
    claim = OwnershipClaim(
        customer, user=user, organization=organization, primary=primary, since=since
    )
    is_claimed = customer and (user or organization) and _is_done(session)
    return Changes(row, (claim,) if is_claimed else ())


def _read_totals(session: Json) -> Json | None:
    """Return the parts of the total, in the currency's smallest unit."""
    totals = as_dict(session.get("total_details"))
    names = ("amount_discount", "amount_shipping", "amount_tax")
    return {name: as_number(totals.get(name)) for name in names} if totals else None


def _read_line_items(session: Json) -> Json:
    if "line_items" not in session:
        return {}
    return {"line_items": [_read_line_item(each) for each in as_list(session["line_items"])]}


def _read_line_item(item: Json) -> Json:
    price = item_price(item)
    amounts = ("amount_subtotal", "amount_discount", "amount_tax", "amount_total")
    return {
        "id": stripe_id(item),
        "description": item.get("description"),
        "price": stripe_id(price),
        "product": stripe_id(price.get("product")),
        "quantity": item.get("quantity"),
        **{name: as_number(item.get(name)) for name in amounts},
    }


def _read_field(field: Json) -> Json:
    """Return the buyer's input, which is under the name of the field's type."""
    kind = as_text(field.get("type"))
    return {
        "key": as_text(field.get("key")),
        "label": as_text(as_dict(field.get("label")).get("custom")),
        "type": kind,
        "value": as_text(as_dict(field.get(kind)).get("value")),
    }


def _is_done(session: Json) -> bool:
    return session.get("status") in ("complete", None)


def _rank(status: object, payment_status: object) -> int:
    """Open, then expired or complete; a delayed payment becomes paid after that."""
    return 1 + (status in ("complete", "expired")) + (payment_status == "paid")
