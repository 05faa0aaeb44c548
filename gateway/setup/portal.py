"""The configuration of Stripe's customer portal that `gateway init` manages.

It is found by its metadata. Plans can be changed among the recurring prices of up to ten products.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import stripe

from gateway.errors import StripeRefused
from gateway.rows import Json
from gateway.setup.errors import SetupError
from gateway.setup.report import SetupReport
from gateway.setup.webhook_endpoint import MADE_BY
from gateway.stripe_api import Missing, read_object, translate_errors

#: Stripe's limit.
MAX_PRODUCTS = 10
_PATH = "/v1/billing_portal/configurations"
_EXPAND = "features.subscription_update.products"
_REASONS = ("too_expensive", "missing_features", "switched_service", "unused", "other")


def choose_products(prices: Iterable[Json]) -> list[Json]:
    """Return the products among which subscribers can choose, with their prices.

    Args:
        prices: active prices, newest first. Per product, interval and currency the newest counts,
            because Stripe accepts one.
    """
    chosen: dict[str, dict[tuple[Any, ...], str]] = {}
    for price in prices:
        recurring = price.get("recurring")
        if not recurring or recurring.get("usage_type") != "licensed":
            continue
        period = (recurring["interval"], recurring["interval_count"], price["currency"])
        chosen.setdefault(str(price["product"]), {}).setdefault(period, str(price["id"]))
    return [
        {"product": product, "prices": sorted(found.values())}
        for product, found in sorted(chosen.items())
    ]


def describe_features(products: list[Json]) -> Json:
    """Return the wanted features: payment method, invoices, cancellation and change of plan."""
    update: Json = {"enabled": False}
    if products:
        update = {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "proration_behavior": "create_prorations",
            "products": products[:MAX_PRODUCTS],
        }
    return {
        "payment_method_update": {"enabled": True},
        "invoice_history": {"enabled": True},
        "customer_update": {"enabled": True, "allowed_updates": ["address", "tax_id"]},
        "subscription_cancel": {
            "enabled": True,
            "mode": "at_period_end",
            "cancellation_reason": {"enabled": True, "options": list(_REASONS)},
        },
        "subscription_update": update,
    }


def differs(shown: Any, wanted: Any) -> bool:
    """Return whether an object lacks a wanted value; fields that are not wanted are ignored."""
    if isinstance(wanted, Mapping):
        return not isinstance(shown, Mapping) or any(
            differs(shown.get(name), value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        if not isinstance(shown, list) or len(shown) != len(wanted):
            return True
        pairs = zip(_sort(shown), _sort(wanted), strict=True)
        return any(differs(one, other) for one, other in pairs)
    return bool(shown != wanted)


class Portal:
    """Creates or updates the managed configuration."""

    def __init__(self, client: stripe.StripeClient, report: SetupReport) -> None:
        self._client = client
        self._report = report

    async def set_up(self, configured: tuple[str, ...]) -> str:
        """Create or update the configuration.

        Args:
            configured: GATEWAY_PORTAL_CONFIGURATIONS.

        Returns:
            The new value of the setting's first entry; "" if it stays as it is.

        Raises:
            SetupError: Stripe refuses the configuration.
            StripeUnavailable: Stripe does not answer.
        """
        managed = await self._find_managed()
        first = configured[0] if configured else ""
        if first and first != (managed or {}).get("id") and await self._exists(first):
            self._report.keep(f"Stripe: the portal's configuration {first} is your own")
            return ""
        wanted = await self._describe()
        if managed is None:
            return await self._create(wanted)
        await self._update(managed, wanted)
        return "" if first == managed["id"] else str(managed["id"])

    async def _describe(self) -> Json:
        products = choose_products(await self._list_prices())
        if len(products) > MAX_PRODUCTS:
            self._report.todo(
                f"Stripe's portal offers {MAX_PRODUCTS} of {len(products)} products: for others"
                " make your own configuration (GATEWAY_PORTAL_CONFIGURATIONS)"
            )
        return {"features": describe_features(products), "active": True}

    async def _list_prices(self) -> list[Json]:
        params: Json = {"active": True, "type": "recurring", "limit": 100}
        found: list[Json] = []
        with translate_errors():
            page = await self._client.v1.prices.list_async(params)  # type: ignore[arg-type]
            async for price in page.auto_paging_iter():
                found.append(price.to_dict())
        return found

    async def _find_managed(self) -> Json | None:
        with translate_errors():
            page = await self._client.v1.billing_portal.configurations.list_async({"limit": 100})
            async for each in page.auto_paging_iter():
                if MADE_BY in (each.to_dict().get("metadata") or {}):
                    path = f"{_PATH}/{each.id}?expand[]={_EXPAND}"
                    return (await read_object(self._client, path)).body
        return None

    async def _exists(self, configuration: str) -> bool:
        try:
            await read_object(self._client, f"{_PATH}/{configuration}")
        except Missing:
            self._report.change(
                f"Stripe: the portal's configuration {configuration} does not exist in this account"
                " and mode; GATEWAY_PORTAL_CONFIGURATIONS gets another"
            )
            return False
        return True

    async def _create(self, wanted: Json) -> str:
        self._report.change("Stripe: a configuration of the customer portal")
        if self._report.is_dry_run:
            return ""
        params = {"features": wanted["features"], "metadata": {MADE_BY: "init"}}
        made = await self._send(_PATH, params)
        return str(made["id"])

    async def _update(self, managed: Json, wanted: Json) -> None:
        if not differs(managed, wanted):
            self._report.keep(f"Stripe: the portal's configuration {managed['id']}")
            return
        self._report.change(f"Stripe: the features of the portal's configuration {managed['id']}")
        if not self._report.is_dry_run:
            await self._send(f"{_PATH}/{managed['id']}", wanted)

    async def _send(self, path: str, params: Json) -> Json:
        try:
            with translate_errors():
                answer = await self._client.raw_request_async("post", path, **params)
        except StripeRefused as refused:
            message = refused.stripe.message
            raise SetupError(f"Stripe refuses the portal's configuration: {message}") from refused
        return dict(answer.data)


def _sort(values: list[Any]) -> list[Any]:
    """Sort by product if these are products; Stripe returns lists in an order of its own."""
    return sorted(values, key=lambda each: str(_product_of(each) or each))


def _product_of(value: Any) -> str:
    return str(value.get("product", "")) if isinstance(value, Mapping) else ""
