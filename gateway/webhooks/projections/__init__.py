"""What each Stripe object means as a PocketBase row: one small pure function an object.

The key is the ``object`` of ``data.object``, so that every event that shows the object, also one
that Stripe has yet to invent, brings its row up to date. Anything not listed is stored and
answered 2xx, and changes no row.
"""

from collections.abc import Callable

from gateway.webhooks.projections.catalogue import (
    project_coupon,
    project_price,
    project_product,
    project_promotion_code,
    project_tax_rate,
)
from gateway.webhooks.projections.checkout_session import project_checkout_session
from gateway.webhooks.projections.customer import (
    project_customer,
    project_payment_method,
    project_setup_intent,
    project_tax_id,
)
from gateway.webhooks.projections.entitlement import project_entitlement_summary
from gateway.webhooks.projections.invoice import (
    project_credit_note,
    project_invoice,
    project_invoice_payment,
)
from gateway.webhooks.projections.payment import (
    project_charge,
    project_dispute,
    project_payment_intent,
    project_refund,
)
from gateway.webhooks.projections.subscription import project_subscription
from gateway.webhooks.projections.subscription_schedule import project_subscription_schedule
from gateway.writes import Changes, Json

#: From Stripe's object, and whether it was deleted, to the row and the claims that follow.
Projection = Callable[[Json, bool], Changes]

PROJECTIONS: dict[str, Projection] = {
    # product.*: what the shop shows; entitlements stand in its metadata
    "product": project_product,
    # price.*: what may be bought, and in which mode
    "price": project_price,
    # coupon.*, promotion_code.*, tax_rate.*: what changes a price
    "coupon": project_coupon,
    "promotion_code": project_promotion_code,
    "tax_rate": project_tax_rate,
    # customer.*: who pays; links Stripe's customer to the PocketBase user
    "customer": project_customer,
    # customer.tax_id.*: the tax number on invoices
    "tax_id": project_tax_id,
    # payment_method.*: the card that the account page shows
    "payment_method": project_payment_method,
    # setup_intent.*: a card saved without paying
    "setup_intent": project_setup_intent,
    # customer.subscription.*: what is being paid for, until when
    "subscription": project_subscription,
    # subscription_schedule.*: planned changes of a subscription
    "subscription_schedule": project_subscription_schedule,
    # checkout.session.*: a purchase as the buyer went through it
    "checkout.session": project_checkout_session,
    # payment_intent.*: money that moves, or fails to
    "payment_intent": project_payment_intent,
    # charge.*: each attempt, and how much of it came back
    "charge": project_charge,
    # refund.*, charge.refund.updated: money given back
    "refund": project_refund,
    # charge.dispute.*: money taken back
    "dispute": project_dispute,
    # invoice.*: what is owed, with the page and PDF to show (invoice.upcoming has no id: no row)
    "invoice": project_invoice,
    # invoice_payment.*: which payment paid which invoice, since basil
    "invoice_payment": project_invoice_payment,
    # credit_note.*: what an invoice was reduced by
    "credit_note": project_credit_note,
    # entitlements.active_entitlement_summary.updated: the features a customer has now
    "entitlements.active_entitlement_summary": project_entitlement_summary,
}
