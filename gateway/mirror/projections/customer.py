"""Who pays, and with what: customers, tax ids, payment methods, setup intents."""

from gateway.dates import as_unix, unix_to_column
from gateway.mirror.projections.payer import named_payer
from gateway.shapes import card, mapping, number, relation, stripe_id, text
from gateway.writes import Changes, Claim, Json, Row


def project_customer(customer: Json, deleted: bool) -> Changes:
    """A customer that the gateway made names its payer in the metadata, which only we can write."""
    values = {
        "email": text(customer.get("email")),
        "name": text(customer.get("name")),
        "phone": text(customer.get("phone")),
        "currency": text(customer.get("currency")),
        "balance": number(customer.get("balance")),
        "delinquent": bool(customer.get("delinquent")),
        "address": mapping(customer.get("address")),
        "preferred_locales": _texts(customer.get("preferred_locales")),
        "metadata": mapping(customer.get("metadata")),
        "deleted": deleted,
        "created": unix_to_column(customer.get("created")),
    }
    claims = () if deleted else _claims(customer)
    return Changes(Row("customers", stripe_id(customer), values, final=deleted), claims)


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _claims(customer: Json) -> tuple[Claim, ...]:
    found, since = stripe_id(customer), as_unix(customer.get("created"))
    named = named_payer(mapping(customer.get("metadata")))
    by_name = (Claim(found, **named, primary=True, since=since),) if any(named.values()) else ()
    # An organization's address is often that of one of its members.
    email = "" if named["organization"] else text(customer.get("email"))
    by_email = (Claim(found, email=email, primary=True, since=since),) if email else ()
    return by_name + by_email


def project_tax_id(tax_id: Json, deleted: bool) -> Changes:
    """The customer's tax number and whether the authority confirmed it."""
    values = {
        "customer": relation(tax_id.get("customer")),
        "type": text(tax_id.get("type")),
        "value": text(tax_id.get("value")),
        "country": text(tax_id.get("country")),
        "verification_status": text(mapping(tax_id.get("verification")).get("status")),
        "deleted": deleted,
        "created": unix_to_column(tax_id.get("created")),
    }
    return Changes(Row("tax_ids", stripe_id(tax_id), values, final=deleted))


def project_payment_method(method: Json, deleted: bool) -> Changes:
    """A detached payment method has no customer, and so no user."""
    details = card(method)
    values = {
        "customer": relation(method.get("customer")),
        "type": text(method.get("type")),
        "brand": text(details.get("brand")),
        "last4": text(details.get("last4")),
        "exp_month": number(details.get("exp_month")),
        "exp_year": number(details.get("exp_year")),
        "metadata": mapping(method.get("metadata")),
        "created": unix_to_column(method.get("created")),
    }
    return Changes(Row("payment_methods", stripe_id(method), values, final=deleted))


def project_setup_intent(intent: Json, deleted: bool) -> Changes:
    """Succeeded and canceled are the end of a SetupIntent."""
    status = text(intent.get("status"))
    values = {
        "customer": relation(intent.get("customer")),
        "status": status,
        "usage": text(intent.get("usage")),
        "payment_method": relation(intent.get("payment_method")),
        "last_error": text(mapping(intent.get("last_setup_error")).get("message")),
        "metadata": mapping(intent.get("metadata")),
        "created": unix_to_column(intent.get("created")),
    }
    rank = 2 if status in ("succeeded", "canceled") else 1
    return Changes(Row("setup_intents", stripe_id(intent), values, final=deleted, rank=rank))
