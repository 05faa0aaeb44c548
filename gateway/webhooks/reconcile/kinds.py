"""The lists of Stripe's API that together show every mirrored object."""

from dataclasses import dataclass, field

from gateway.webhooks.paths import SUMMARY
from gateway.writes import Row


@dataclass(frozen=True, slots=True)
class Kind:
    """One list, and the rows that it is to show."""

    collection: str
    #: The ``object`` of what is listed.
    object: str
    #: With ``{customer}`` for what is listed a customer at a time.
    path: str
    params: dict[str, str] = field(default_factory=dict)
    #: Which rows of the collection the list shows, as a PocketBase filter; all when empty.
    rows: str = ""

    @property
    def name(self) -> str:
        """Tells the lists of one collection apart."""
        return " ".join([self.collection, *self.params.values()])

    @property
    def is_of_customer(self) -> bool:
        """Whether each customer has a list of its own."""
        return "{customer}" in self.path


#: Stripe shows these only when asked.
_PRICES = "/v1/prices?expand[]=data.tiers&expand[]=data.currency_options"

#: Owners before what they own, so that rows are linked as they are written.
KINDS = (
    Kind("products", "product", "/v1/products"),
    # One list has the active ones only, says Stripe's reference.
    Kind("prices", "price", _PRICES, {"active": "true"}, "active = true"),
    Kind("prices", "price", _PRICES, {"active": "false"}, "active = false"),
    Kind("coupons", "coupon", "/v1/coupons"),
    Kind("promotion_codes", "promotion_code", "/v1/promotion_codes"),
    Kind("tax_rates", "tax_rate", "/v1/tax_rates"),
    Kind("customers", "customer", "/v1/customers"),
    Kind("tax_ids", "tax_id", "/v1/customers/{customer}/tax_ids"),
    Kind("payment_methods", "payment_method", "/v1/customers/{customer}/payment_methods"),
    Kind(
        "entitlement_summaries", SUMMARY, "/v1/entitlements/active_entitlements?customer={customer}"
    ),
    Kind("payments", "payment_intent", "/v1/payment_intents"),
    Kind("charges", "charge", "/v1/charges"),
    Kind("invoices", "invoice", "/v1/invoices"),
    Kind("invoice_payments", "invoice_payment", "/v1/invoice_payments"),
    Kind("subscriptions", "subscription", "/v1/subscriptions", {"status": "all"}),
    Kind("subscription_schedules", "subscription_schedule", "/v1/subscription_schedules"),
    Kind("setup_intents", "setup_intent", "/v1/setup_intents"),
    Kind("checkout_sessions", "checkout.session", "/v1/checkout/sessions"),
    Kind("refunds", "refund", "/v1/refunds"),
    Kind("disputes", "dispute", "/v1/disputes"),
    Kind("credit_notes", "credit_note", "/v1/credit_notes"),
)

COLLECTIONS = tuple(dict.fromkeys(kind.collection for kind in KINDS))


def is_unannounced(row: Row) -> bool:
    """Whether Stripe sends no event for an object in this state, so that no row is amiss."""
    values = row.values
    return {
        "checkout_sessions": values.get("status") == "open",
        "invoice_payments": values.get("status") != "paid",
        "entitlement_summaries": not values.get("lookup_keys"),
    }.get(row.collection, False)
