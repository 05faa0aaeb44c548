"""Permissions of restricted keys, named as Stripe names them in its refusals."""

from stripe_simulator.errors import StripeError
from stripe_simulator.http.messages import Request
from stripe_simulator.world import World

#: The permission of each path, without ``_read`` or ``_write``; the longest prefix counts.
RESOURCES = {
    "/v1/account": "accounts_kyc_basic",
    "/v1/accounts": "connected_account",
    "/v1/application_fees": "application_fee",
    "/v1/balance_transactions": "balance_transaction_source",
    "/v1/billing/meter_event_adjustments": "billing_meter_event",
    "/v1/billing/meter_events": "billing_meter_event",
    "/v1/billing/meters": "billing_meter",
    "/v1/billing_portal": "customer_portal",
    "/v1/charges": "charge",
    "/v1/checkout/sessions": "checkout_session",
    "/v1/coupons": "coupon",
    "/v1/credit_notes": "credit_note",
    "/v1/customers": "customer",
    "/v1/disputes": "dispute",
    "/v1/entitlements": "entitlement",
    "/v1/events": "event",
    "/v2/core/events": "event",
    "/v1/files": "file",
    "/v1/invoice_payments": "invoice",
    "/v1/invoiceitems": "invoice",
    "/v1/invoices": "invoice",
    "/v1/payment_intents": "payment_intent",
    "/v1/payment_methods": "payment_method",
    "/v1/payouts": "payout",
    "/v1/plans": "plan",
    "/v1/prices": "plan",
    "/v1/products": "product",
    "/v1/promotion_codes": "promotion_code",
    "/v1/quotes": "quote",
    "/v1/refunds": "charge",
    "/v1/reviews": "review",
    "/v1/setup_intents": "setup_intent",
    "/v1/subscription_items": "subscription",
    "/v1/subscription_schedules": "subscription",
    "/v1/subscriptions": "subscription",
    "/v1/tax_rates": "tax_rate",
    "/v1/topups": "top_up",
    "/v1/transfers": "transfer",
    "/v1/webhook_endpoints": "webhook",
}


def restrict(world: World, key: str, permissions: list[str] | None) -> None:
    """Give a key these permissions (``customer_write``) and no others; None lifts the limit."""
    known = {f"{resource}_{verb}" for resource in RESOURCES.values() for verb in ("read", "write")}
    for unknown in set(permissions or ()) - known:
        raise ValueError(f"no such permission: {unknown}")
    if permissions is None:
        world.facts("restricted_key").pop(key, None)
    else:
        world.facts("restricted_key")[key] = list(permissions)


def check_permission(world: World, key: str, request: Request) -> None:
    """Refuse what a restricted key may not do, before anything else is looked at."""
    permissions = world.facts("restricted_key").get(key)
    if permissions is None:
        return
    resource = _resource_of(request.path)
    write = f"{resource}_write"
    wanted = f"{resource}_read" if request.method == "GET" else write
    # Write includes read.
    if resource and (wanted in permissions or write in permissions):
        return
    raise _refusal(world, key, f"rak_{wanted}" if resource else "")


def _resource_of(path: str) -> str:
    matching = [each for each in RESOURCES if path == each or path.startswith(f"{each}/")]
    return RESOURCES[max(matching, key=len)] if matching else ""


def _refusal(world: World, key: str, wanted: str) -> StripeError:
    shown = f"{key[:8]}{'*' * 90}{key[-6:]}"
    more = (
        f"Having the '{wanted}' permission would allow this request to continue."
        if wanted
        else "This is a restricted API key, but the required permissions are not available for "
        "use by restricted keys."
    )
    message = (
        f"The provided key '{shown}' does not have the required permissions for this endpoint on "
        f"account 'acct_1{world.ids.account}Sim00'. {more}"
    )
    return StripeError(403, "invalid_request_error", message)
