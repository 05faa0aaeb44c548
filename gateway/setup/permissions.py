"""The permissions that a restricted key needs, and the probe that finds the missing ones.

Stripe checks a permission before it looks at the object. So each probe reads one entry of a list,
or writes to an object that does not exist: 403 means a missing permission, 404 a present one.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import stripe

from gateway.stripe_api import translate_errors

Mode = Literal["live", "test"]

#: Probes at a time: Stripe allows 25 requests per second in test mode.
_MAX_PROBES = 5
_NAMED = re.compile(r"'(rak_\w+)'")


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission of a restricted key."""

    #: As Stripe's dashboard shows the resource.
    resource: str
    #: Stripe's name without the prefix ``rak_``; it ends with ``_read`` or ``_write``.
    slug: str
    #: The endpoints and commands that need it.
    purpose: str
    method: Literal["get", "post"]
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    #: Whether the gateway works without it.
    is_optional: bool = False

    @property
    def access(self) -> str:
        """Return ``Read`` or ``Write``, as the dashboard shows it."""
        return self.slug.rpartition("_")[2].capitalize()

    def describe(self) -> str:
        """Return one line: resource, access and purpose."""
        return f"{self.resource}: {self.access} ({self.purpose})"


@dataclass(frozen=True, slots=True)
class MissingPermission:
    """A permission that the key lacks."""

    permission: Permission
    #: The permissions that Stripe's refusal names (``rak_…``).
    named: tuple[str, ...] = ()


def _write(resource: str, slug: str, purpose: str, path: str, **more: Any) -> Permission:
    return Permission(resource, f"{slug}_write", purpose, "post", path, **more)


def _read(resource: str, slug: str, purpose: str, path: str, **more: Any) -> Permission:
    return Permission(resource, f"{slug}_read", purpose, "get", path, {"limit": 1}, **more)


_MIRROR = "mirror, `gateway reconcile`"
_OTHERS = "rows of stripe_objects"
_METER_EVENT = {
    "event_name": "gateway_permission_probe",
    "payload": {"stripe_customer_id": "cus_gateway_probe", "value": "0"},
}

#: Write includes read. Refunds belong to Charges, invoice items and payments to Invoices.
PERMISSIONS: tuple[Permission, ...] = (
    _write(
        "Checkout Sessions",
        "checkout_session",
        "POST /checkout",
        "/v1/checkout/sessions/cs_gateway_probe/expire",
    ),
    _write("Customers", "customer", "POST /checkout", "/v1/customers/cus_gateway_probe"),
    _write(
        "Subscriptions",
        "subscription",
        "changes of plan, cancellation, seats",
        "/v1/subscriptions/sub_gateway_probe",
    ),
    _write(
        "Invoices",
        "invoice",
        "previews of changes, deletion of accounts",
        "/v1/invoices/in_gateway_probe",
    ),
    _write("Quotes", "quote", "deletion of accounts", "/v1/quotes/qt_gateway_probe/cancel"),
    _write(
        "Customer portal",
        "customer_portal",
        "POST /portal; `gateway init` configures the portal",
        "/v1/billing_portal/configurations/bpc_gateway_probe",
    ),
    _write(
        "Webhook Endpoints",
        "webhook",
        "`gateway init` registers the endpoint; `gateway doctor` compares it",
        "/v1/webhook_endpoints/we_gateway_probe",
    ),
    _read("Products", "product", _MIRROR, "/v1/products"),
    _read("Prices", "plan", "POST /checkout; mirror", "/v1/prices"),
    _read("Coupons", "coupon", _MIRROR, "/v1/coupons"),
    _read("Promotion Codes", "promotion_code", "POST /checkout; mirror", "/v1/promotion_codes"),
    _read("Tax Rates", "tax_rate", _MIRROR, "/v1/tax_rates"),
    _read("Payment Methods", "payment_method", _MIRROR, "/v1/payment_methods"),
    _read("Payment Intents", "payment_intent", _MIRROR, "/v1/payment_intents"),
    _read("Charges and Refunds", "charge", _MIRROR, "/v1/charges"),
    _read("Setup Intents", "setup_intent", _MIRROR, "/v1/setup_intents"),
    _read("Disputes", "dispute", _MIRROR, "/v1/disputes"),
    _read("Credit Notes", "credit_note", _MIRROR, "/v1/credit_notes"),
    _read("Events", "event", "missed events, conflicts of one second", "/v1/events"),
    _read("Entitlements", "entitlement", _MIRROR, "/v1/entitlements/features"),
    _write(
        "Billing Meter Events",
        "billing_meter_event",
        "POST /usage",
        "/v1/billing/meter_events",
        params=_METER_EVENT,
        is_optional=True,
    ),
    _read("Billing Meters", "billing_meter", "POST /usage", "/v1/billing/meters", is_optional=True),
    _read("Payouts", "payout", _OTHERS, "/v1/payouts", is_optional=True),
    _read(
        "Balance Transaction Sources",
        "balance_transaction_source",
        _OTHERS,
        "/v1/balance_transactions",
        is_optional=True,
    ),
)


def read_mode(key: str) -> Mode | None:
    """Return the mode of a secret or restricted key, None if the key does not show it."""
    found = re.match(r"(?:sk|rk)_(live|test)_", key)
    return ("live" if found[1] == "live" else "test") if found else None


def is_restricted(key: str) -> bool:
    """Return whether a key is a restricted one (``rk_…``); a secret key has all permissions."""
    return key.startswith("rk_")


def build_key_url(mode: Mode, permissions: Iterable[Permission] = PERMISSIONS) -> str:
    """Return the page of Stripe's dashboard that creates a key with these permissions."""
    chosen = [("permissions[]", f"rak_{each.slug}") for each in permissions]
    path = "" if mode == "live" else "test/"
    query = urlencode([("name", "PocketBase gateway"), *chosen])
    return f"https://dashboard.stripe.com/{path}apikeys/create?{query}"


async def find_missing(
    client: stripe.StripeClient, permissions: Iterable[Permission] = PERMISSIONS
) -> list[MissingPermission]:
    """Return the permissions that the client's key lacks; changes nothing at Stripe.

    Raises:
        StripeKeyRefused: Stripe does not know the key.
        StripeUnavailable: Stripe does not answer.
    """
    turns = asyncio.Semaphore(_MAX_PROBES)

    async def probe(permission: Permission) -> MissingPermission | None:
        async with turns:
            return await _probe(client, permission)

    found = await asyncio.gather(*map(probe, permissions))
    return [each for each in found if each]


async def _probe(client: stripe.StripeClient, permission: Permission) -> MissingPermission | None:
    with translate_errors():
        try:
            await client.raw_request_async(
                permission.method, permission.path, **dict(permission.params)
            )
        except stripe.PermissionError as refused:
            return MissingPermission(permission, tuple(_NAMED.findall(str(refused))))
        except stripe.InvalidRequestError:
            # The object does not exist, as intended.
            return None
    return None
