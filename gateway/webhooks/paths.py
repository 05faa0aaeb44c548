"""Where Stripe's API serves the objects that are mirrored."""

from urllib.parse import quote

_FOLDERS = {
    "charge": "charges",
    "checkout.session": "checkout/sessions",
    "coupon": "coupons",
    "credit_note": "credit_notes",
    "customer": "customers",
    "dispute": "disputes",
    "invoice": "invoices",
    "invoice_payment": "invoice_payments",
    "payment_intent": "payment_intents",
    "payment_method": "payment_methods",
    "price": "prices",
    "product": "products",
    "promotion_code": "promotion_codes",
    "refund": "refunds",
    "setup_intent": "setup_intents",
    "subscription": "subscriptions",
    "subscription_schedule": "subscription_schedules",
    "tax_id": "tax_ids",
    "tax_rate": "tax_rates",
}

#: Has no id of its own: the customer's list stands for it.
SUMMARY = "entitlements.active_entitlement_summary"


def path_of(kind: str, stripe_id: str) -> str:
    """Return the path of an object by its ``object`` and id."""
    if kind == SUMMARY:
        return f"/v1/entitlements/active_entitlements?customer={quote(stripe_id, safe='')}"
    path = f"/v1/{_FOLDERS[kind]}/{quote(stripe_id, safe='')}"
    return f"{path}?expand[]=tiers&expand[]=currency_options" if kind == "price" else path
