"""Entries of Stripe objects without a projection of their own: rows of ``stripe_objects``.

Every object that an event shows gets such a row, also of a kind that is not listed here. This table
adds facts of Stripe's API reference: the paths where objects can be read and listed. An account or
key may lack a product, so a list that Stripe refuses is skipped.
"""

from functools import lru_cache

from gateway.mirror.mirrored_object import ListQuery, MirroredObject
from gateway.mirror.projections.stripe_object import STRIPE_OBJECTS, project_stripe_object

_COLUMNS = ("object", "customer", "livemode", "deleted")


def _other(
    kind: str,
    path: str,
    *,
    rows: str = "",
    is_listed: bool = True,
    by_time: bool = True,
    nested: dict[str, str] | None = None,
) -> MirroredObject:
    wanted = f"object = '{kind}'" + (f" && {rows}" if rows else "")
    return MirroredObject(
        kind,
        STRIPE_OBJECTS,
        project_stripe_object,
        path,
        lists=(ListQuery(rows=wanted),) if is_listed else (),
        lists_by_time=by_time,
        may_be_refused=True,
        nested_lists=nested or {},
        columns=_COLUMNS,
    )


@lru_cache(maxsize=256)
def describe_unknown(kind: str) -> MirroredObject:
    """Return the entry of a kind that only events show: Stripe can't be asked about it."""
    return _other(kind, "", is_listed=False)


OTHER_OBJECTS = (
    # Money of the account: payouts, what each movement cost, and transfers between accounts
    _other("payout", "payouts"),
    _other("balance_transaction", "balance_transactions"),
    _other("topup", "topups"),
    _other("transfer", "transfers", nested={"reversals": "/v1/transfers/{id}/reversals"}),
    _other(
        "application_fee",
        "application_fees",
        nested={"refunds": "/v1/application_fees/{id}/refunds"},
    ),
    # Fraud. Stripe lists open reviews only.
    _other("review", "reviews", rows="stripe_object.open = true"),
    _other("radar.early_fraud_warning", "radar/early_fraud_warnings"),
    # Billing
    _other("quote", "quotes", by_time=False),
    _other("invoiceitem", "invoiceitems"),
    # Each plan is a price as well.
    _other("plan", "plans", is_listed=False),
    _other("billing.alert", "billing/alerts", by_time=False),
    _other("billing.credit_grant", "billing/credit_grants", by_time=False),
    _other(
        "billing.credit_balance_transaction",
        "billing/credit_balance_transactions",
        is_listed=False,
    ),
    _other("billing.meter", "billing/meters", by_time=False),
    _other("billing_portal.configuration", "billing_portal/configurations", by_time=False),
    _other("payment_link", "payment_links", by_time=False),
    _other("test_helpers.test_clock", "test_helpers/test_clocks", by_time=False),
    # Payment methods and their rules
    _other("mandate", "mandates", is_listed=False),
    _other("source", "sources", is_listed=False),
    _other("financial_connections.account", "financial_connections/accounts", by_time=False),
    # The account, its files and reports
    _other("account", "accounts", is_listed=False),
    _other("file", "files"),
    _other("identity.verification_session", "identity/verification_sessions"),
    _other("reporting.report_run", "reporting/report_runs"),
    _other("scheduled_query_run", "sigma/scheduled_query_runs", by_time=False),
    # Issuing, Terminal, Treasury, Climate
    _other("issuing.authorization", "issuing/authorizations"),
    _other("issuing.card", "issuing/cards"),
    _other("issuing.cardholder", "issuing/cardholders"),
    _other("issuing.dispute", "issuing/disputes"),
    _other("issuing.transaction", "issuing/transactions"),
    _other("terminal.reader", "terminal/readers", by_time=False),
    _other("treasury.financial_account", "treasury/financial_accounts"),
    _other("climate.order", "climate/orders", by_time=False),
    _other("climate.product", "climate/products", by_time=False),
)
