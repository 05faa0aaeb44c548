"""Every mirrored Stripe object, one entry each. Other modules derive their tables from it.

The key is the ``object`` of ``data.object``, so that every event that shows the object, also of a
type that Stripe has yet to introduce, updates its row. An object without an entry here becomes a
row of ``stripe_objects`` (`gateway.mirror.other_objects`). docs/mirror.md describes how to add an
entry.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from gateway.mirror.mirrored_object import ListQuery, MirroredObject, Ownership, Parent
from gateway.mirror.other_objects import OTHER_OBJECTS, describe_unknown
from gateway.mirror.projections.catalogue import (
    project_coupon,
    project_price,
    project_product,
    project_promotion_code,
    project_tax_rate,
)
from gateway.mirror.projections.checkout_session import project_checkout_session
from gateway.mirror.projections.customer import (
    project_customer,
    project_payment_method,
    project_setup_intent,
    project_tax_id,
)
from gateway.mirror.projections.entitlement import project_entitlement_summary
from gateway.mirror.projections.invoice import (
    project_credit_note,
    project_invoice,
    project_invoice_payment,
)
from gateway.mirror.projections.payment import (
    project_charge,
    project_dispute,
    project_payment_intent,
    project_refund,
)
from gateway.mirror.projections.subscription import project_subscription
from gateway.mirror.projections.subscription_schedule import project_subscription_schedule
from gateway.mirror.team_column import TeamColumn, extend_entries
from gateway.start_error import InvalidRegistration

#: Has no id of its own: the row is its customer's.
SUMMARY = "entitlements.active_entitlement_summary"

_PAYMENT = Parent("payment", "payments")
_CHARGE = Parent("charge", "charges")
_INVOICE = Parent("invoice", "invoices")

#: In the order of reconciliation: owners before what they own, so that rows are linked at once.
REGISTRY = (
    # product.*: what the shop shows; its metadata lists the entitlements
    MirroredObject(
        "product",
        "products",
        project_product,
        "products",
        entitlement_columns=("metadata",),
    ),
    # price.*: what can be bought, and in which mode
    MirroredObject(
        "price",
        "prices",
        project_price,
        "prices",
        expand=("tiers", "currency_options"),
        # Without `active` Stripe lists the active ones only.
        lists=(
            ListQuery({"active": "true"}, "active = true"),
            ListQuery({"active": "false"}, "active = false"),
        ),
        entitlement_columns=("product", "type", "metadata"),
    ),
    # coupon.*, promotion_code.*, tax_rate.*: what changes a price
    MirroredObject("coupon", "coupons", project_coupon, "coupons"),
    MirroredObject("promotion_code", "promotion_codes", project_promotion_code, "promotion_codes"),
    MirroredObject("tax_rate", "tax_rates", project_tax_rate, "tax_rates"),
    # customer.*: who pays; links Stripe's customer to the PocketBase user
    MirroredObject(
        "customer",
        "customers",
        project_customer,
        "customers",
        columns=("user", "organization", "primary", "claims"),
    ),
    # customer.tax_id.*: the tax number on invoices
    MirroredObject(
        "tax_id",
        "tax_ids",
        project_tax_id,
        "tax_ids",
        list_path="customers/{customer}/tax_ids",
        customer_field="tax_ids",
        owner=Ownership(move_order=14),
    ),
    # payment_method.*: the card that the account page shows
    MirroredObject(
        "payment_method",
        "payment_methods",
        project_payment_method,
        "payment_methods",
        list_path="customers/{customer}/payment_methods",
        owner=Ownership(move_order=13),
    ),
    # entitlements.active_entitlement_summary.updated: the features a customer has now
    MirroredObject(
        SUMMARY,
        "entitlement_summaries",
        project_entitlement_summary,
        "entitlements/active_entitlements",
        list_path="entitlements/active_entitlements?customer={customer}",
        object_path="entitlements/active_entitlements?customer={id}",
        nested_lists={"entitlements": "/v1/entitlements/active_entitlements?customer={id}"},
        owner=Ownership(move_order=2),
        entitlement_columns=("customer", "lookup_keys"),
        is_unannounced=lambda values: not values.get("lookup_keys"),
    ),
    # payment_intent.*: money that moves, or fails to
    MirroredObject(
        "payment_intent",
        "payments",
        project_payment_intent,
        "payment_intents",
        owner=Ownership(move_order=8),
    ),
    # charge.*: each attempt, and how much of it came back
    MirroredObject(
        "charge",
        "charges",
        project_charge,
        "charges",
        owner=Ownership(move_order=4, parents=(_PAYMENT,)),
        entitlement_columns=(
            "payment",
            "status",
            "created",
            "amount",
            "amount_captured",
            "amount_refunded",
            "refunded",
            "currency",
        ),
    ),
    # invoice.*: what is owed, with the page and PDF to show (invoice.upcoming has no id: no row)
    MirroredObject(
        "invoice",
        "invoices",
        project_invoice,
        "invoices",
        nested_lists={
            "lines": "/v1/invoices/{id}/lines",
            "payments": "/v1/invoice_payments?invoice={id}",
        },
        owner=Ownership(move_order=6),
        entitlement_columns=(
            "subscription",
            "payment",
            "status",
            "deleted",
            "created",
            "due_date",
            "paid_at",
            "billing_reason",
            "amount_paid",
            "one_time",
            "lines",
        ),
    ),
    # invoice_payment.*: which payment paid which invoice, since basil
    MirroredObject(
        "invoice_payment",
        "invoice_payments",
        project_invoice_payment,
        "invoice_payments",
        owner=Ownership(move_order=7, names_customer=False, parents=(_INVOICE,)),
        entitlement_columns=("invoice", "payment", "charge", "status", "amount_paid"),
        is_unannounced=lambda values: values.get("status") != "paid",
    ),
    # customer.subscription.*: what is being paid for, until when
    MirroredObject(
        "subscription",
        "subscriptions",
        project_subscription,
        "subscriptions",
        lists=(ListQuery({"status": "all"}),),
        nested_lists={"items": "/v1/subscription_items?subscription={id}"},
        owner=Ownership(move_order=1),
        entitlement_columns=(
            "customer",
            "status",
            "items",
            "current_period_start",
            "current_period_end",
            "cancel_at",
            "pause_collection",
        ),
    ),
    # subscription_schedule.*: planned changes of a subscription
    MirroredObject(
        "subscription_schedule",
        "subscription_schedules",
        project_subscription_schedule,
        "subscription_schedules",
        owner=Ownership(move_order=11),
    ),
    # setup_intent.*: a card saved without paying
    MirroredObject(
        "setup_intent",
        "setup_intents",
        project_setup_intent,
        "setup_intents",
        owner=Ownership(move_order=12),
    ),
    # checkout.session.*: a purchase as the buyer went through it
    MirroredObject(
        "checkout.session",
        "checkout_sessions",
        project_checkout_session,
        "checkout/sessions",
        list_expand=("line_items",),
        nested_lists={"line_items": "/v1/checkout/sessions/{id}/line_items"},
        owner=Ownership(move_order=3),
        entitlement_columns=(
            "payment",
            "invoice",
            "status",
            "payment_status",
            "amount_total",
            "created",
            "metadata",
        ),
        is_unannounced=lambda values: values.get("status") == "open",
    ),
    # refund.*, charge.refund.updated: money given back
    MirroredObject(
        "refund",
        "refunds",
        project_refund,
        "refunds",
        owner=Ownership(move_order=9, names_customer=False, parents=(_CHARGE, _PAYMENT)),
        entitlement_columns=("payment", "charge", "status", "amount"),
    ),
    # charge.dispute.*: money taken back
    MirroredObject(
        "dispute",
        "disputes",
        project_dispute,
        "disputes",
        owner=Ownership(move_order=5, names_customer=False, parents=(_CHARGE, _PAYMENT)),
        entitlement_columns=("payment", "charge", "status", "amount", "currency"),
    ),
    # credit_note.*: what an invoice was reduced by
    MirroredObject(
        "credit_note",
        "credit_notes",
        project_credit_note,
        "credit_notes",
        owner=Ownership(move_order=10),
        entitlement_columns=("invoice", "status", "out_of_band_amount"),
    ),
)

#: The entries in force: ours, and those of the app that this process runs.
BY_OBJECT = {each.object: each for each in REGISTRY}
BY_COLLECTION = {each.collection: each for each in REGISTRY}
#: Objects without an entry of their own that Stripe serves.
GENERIC = tuple(each for each in OTHER_OBJECTS if each.object not in BY_OBJECT)
_GENERIC_ENTRIES = {each.object: each for each in GENERIC}


def entry_of(kind: str) -> MirroredObject:
    """Return the entry of an ``object``: its own, or one of ``stripe_objects``."""
    return BY_OBJECT.get(kind) or _GENERIC_ENTRIES.get(kind) or describe_unknown(kind)


def list_entries() -> tuple[MirroredObject, ...]:
    """Return the entries in force, in the order of reconciliation."""
    generic = (each for each in GENERIC if each.object not in BY_OBJECT)
    return (*BY_OBJECT.values(), *generic)


@contextmanager
def extend_registry(
    entries: Iterable[MirroredObject], columns: Iterable[TeamColumn] = ()
) -> Iterator[None]:
    """Mirror further objects and columns while the block runs.

    Further objects are not in ``stripe_objects`` any more. The registry is one per process, like
    the gateway that runs in it.
    """
    added = [each for each in entries if each.object not in BY_OBJECT]
    BY_OBJECT.update({each.object: each for each in added})
    BY_OBJECT.update(extend_entries(REGISTRY, columns))
    BY_COLLECTION.update({each.collection: each for each in added})
    try:
        yield
    finally:
        for each in added:
            del BY_OBJECT[each.object], BY_COLLECTION[each.collection]
        BY_OBJECT.update({each.object: each for each in REGISTRY})


def require_unique(entries: Iterable[MirroredObject]) -> None:
    """Refuse two mirrors of one object, or two in one collection.

    Raises:
        InvalidRegistration: names both places.
    """
    objects = {each.object: each for each in REGISTRY}
    collections = {each.collection: each for each in REGISTRY}
    for each in entries:
        for known, what in (
            (objects.get(each.object), f"{each.object} is mirrored already"),
            (collections.get(each.collection), f"{each.collection} has a mirror already"),
        ):
            if known:
                by = f"at {known.source}" if known.source else "by the gateway itself"
                raise InvalidRegistration(f"{each.source}: {what}, {by}")
        objects[each.object] = collections[each.collection] = each


def path_of(kind: str, stripe_id: str) -> str:
    """Return the path of an object in Stripe's API, by its ``object`` and id; "" if it has none."""
    return entry_of(kind).path_of(stripe_id)
