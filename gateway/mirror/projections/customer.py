"""Customers, tax ids, payment methods and setup intents."""

from gateway.dates import as_unix, unix_to_column
from gateway.mirror.projections.payer import named_payer
from gateway.rows import Changes, Json, OwnershipClaim, Row
from gateway.stripe_api.fields import (
    as_dict,
    as_number,
    as_text,
    as_texts,
    card,
    relation,
    stripe_id,
)


def project_customer(customer: Json, deleted: bool) -> Changes:
    """A customer that the gateway made names its payer in the metadata, which only we can write."""
    values = {
        "email": as_text(customer.get("email")),
        "name": as_text(customer.get("name")),
        "phone": as_text(customer.get("phone")),
        "currency": as_text(customer.get("currency")),
        "balance": as_number(customer.get("balance")),
        "delinquent": bool(customer.get("delinquent")),
        "address": as_dict(customer.get("address")),
        "preferred_locales": as_texts(customer.get("preferred_locales")),
        "metadata": as_dict(customer.get("metadata")),
        "deleted": deleted,
        "created": unix_to_column(customer.get("created")),
    }
    claims = () if deleted else _claims(customer)
    return Changes(Row("customers", stripe_id(customer), values, final=deleted), claims)


def _claims(customer: Json) -> tuple[OwnershipClaim, ...]:
    found, since = stripe_id(customer), as_unix(customer.get("created"))
    named = named_payer(as_dict(customer.get("metadata")))
    by_name = (
        (OwnershipClaim(found, **named, primary=True, since=since),) if any(named.values()) else ()
    )
    # An organization's address is often that of one of its members.
    email = "" if named["organization"] else as_text(customer.get("email"))
    by_email = (OwnershipClaim(found, email=email, primary=True, since=since),) if email else ()
    return by_name + by_email


def project_tax_id(tax_id: Json, deleted: bool) -> Changes:
    """The customer's tax number and whether the authority confirmed it."""
    values = {
        "customer": relation(tax_id.get("customer")),
        "type": as_text(tax_id.get("type")),
        "value": as_text(tax_id.get("value")),
        "country": as_text(tax_id.get("country")),
        "verification_status": as_text(as_dict(tax_id.get("verification")).get("status")),
        "deleted": deleted,
        "created": unix_to_column(tax_id.get("created")),
    }
    return Changes(Row("tax_ids", stripe_id(tax_id), values, final=deleted))


def project_payment_method(method: Json, deleted: bool) -> Changes:
    """A detached payment method has no customer, and so no user."""
    details = card(method)
    values = {
        "customer": relation(method.get("customer")),
        "type": as_text(method.get("type")),
        "brand": as_text(details.get("brand")),
        "last4": as_text(details.get("last4")),
        "exp_month": as_number(details.get("exp_month")),
        "exp_year": as_number(details.get("exp_year")),
        "metadata": as_dict(method.get("metadata")),
        "created": unix_to_column(method.get("created")),
    }
    return Changes(Row("payment_methods", stripe_id(method), values, final=deleted))


def project_setup_intent(intent: Json, deleted: bool) -> Changes:
    """Succeeded and canceled are the end of a SetupIntent."""
    status = as_text(intent.get("status"))
    values = {
        "customer": relation(intent.get("customer")),
        "status": status,
        "usage": as_text(intent.get("usage")),
        "payment_method": relation(intent.get("payment_method")),
        "last_error": as_text(as_dict(intent.get("last_setup_error")).get("message")),
        "metadata": as_dict(intent.get("metadata")),
        "created": unix_to_column(intent.get("created")),
    }
    rank = 2 if status in ("succeeded", "canceled") else 1
    return Changes(Row("setup_intents", stripe_id(intent), values, final=deleted, rank=rank))
