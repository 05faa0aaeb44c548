"""The table of Stripe's addresses: method and path to transition."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from stripe_simulator.errors import StripeError, missing_object
from stripe_simulator.http.listing import many, newest_first, page, select
from stripe_simulator.resources import (
    account,
    billing,
    charges,
    checkout_completion,
    checkout_sessions,
    coupons,
    credit_notes,
    customers,
    disputes,
    entitlements,
    events,
    invoice_items,
    invoice_requests,
    invoices,
    line_items,
    meter_events,
    payment_intents,
    payment_methods,
    payouts,
    portal_configurations,
    portal_sessions,
    prices,
    products,
    promotion_codes,
    quotes,
    refunds,
    setup_intents,
    subscription_schedules,
    subscription_updates,
    subscriptions,
    tax_ids,
    tax_rates,
    webhook_endpoints,
)
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

Handler = Callable[..., JSON]


def one(kind: str) -> Handler:
    """Retrieve an object of a kind; a deleted one has `deleted: true`."""

    def retrieve(world: World, id: str, params: JSON) -> JSON:
        deleted = world.facts("deleted").get(id)
        if deleted is not None and deleted["object"] == kind and kind in ("customer", "product"):
            return dict(deleted) | {"deleted": True}
        return world.get(kind, id)

    return retrieve


def some(kind: str, url: str, *filters: str) -> Handler:
    """List the objects of a kind."""

    def listed(world: World, params: JSON) -> JSON:
        return many(world, kind, params, filters, url)

    return listed


def _subscriptions(world: World, params: JSON) -> JSON:
    items: Sequence[JSON] = newest_first(world, "subscription")
    if not params.get("status"):
        items = [i for i in items if i["status"] != "canceled"]
    filters = ("customer", "status", "price", "created", "collection_method")
    return page(select(items, params, filters), params, "/v1/subscriptions")


def _subscription_items(world: World, params: JSON) -> JSON:
    sub = world.get("subscription", params.get("subscription", ""), "subscription")
    return page(sub["items"]["data"], params, "/v1/subscription_items")


def _subscription_item(world: World, id: str, params: JSON) -> JSON:
    items: list[JSON] = subscription_updates.owner(world, id)["items"]["data"]
    return next(item for item in items if item["id"] == id)


def _events(world: World, params: JSON) -> JSON:
    filters = ("type", "types", "created", "delivery_success")
    return page(select(events.newest_first(world), params, filters), params, "/v1/events")


def _line_items(world: World, id: str, params: JSON) -> JSON:
    world.get("checkout.session", id)
    url = f"/v1/checkout/sessions/{id}/line_items"
    return page(line_items.of_session(world, id), params, url)


def _checkout_sessions(world: World, params: JSON) -> JSON:
    items: Sequence[JSON] = newest_first(world, "checkout.session")
    filters = ("customer", "subscription", "payment_intent", "status", "created")
    if params.get("customer_details"):
        email = params["customer_details"].get("email")
        items = [i for i in items if (i["customer_details"] or {}).get("email") == email]
    return page(select(items, params, filters), params, "/v1/checkout/sessions")


def _invoice_lines(world: World, id: str, params: JSON) -> JSON:
    lines: list[JSON] = invoice_requests.lines_of(world, id)
    return page(lines, params, f"/v1/invoices/{id}/lines")


def _invoice_payments(world: World, params: JSON) -> JSON:
    items: Sequence[JSON] = newest_first(world, "invoice_payment")
    wanted = (params.get("payment") or {}).get("payment_intent")
    if wanted:
        items = [i for i in items if i["payment"]["payment_intent"] == wanted]
    return page(select(items, params, ("invoice", "status")), params, "/v1/invoice_payments")


def _refunds_of_charge(world: World, id: str, params: JSON) -> JSON:
    world.get("charge", id)
    found = [r for r in world.all("refund").values() if r["charge"] == id][::-1]
    return page(found, params, f"/v1/charges/{id}/refunds")


def _subscriptions_of_customer(world: World, id: str, params: JSON) -> JSON:
    world.get("customer", id)
    found = _subscriptions(world, params | {"customer": id})
    return found | {"url": f"/v1/customers/{id}/subscriptions"}


def _methods_of_customer(world: World, id: str, params: JSON) -> JSON:
    found = payment_methods.of_customer(world, id, params)[::-1]
    return page(found, params, f"/v1/customers/{id}/payment_methods")


def _method_of_customer(world: World, customer: str, id: str, params: JSON) -> JSON:
    method = world.get("payment_method", id)
    if method["customer"] != customer:
        raise missing_object("PaymentMethod", id)
    return method


def _methods(world: World, params: JSON) -> JSON:
    filters = ("customer", "type")
    attached = [m for m in world.all("payment_method").values() if m["customer"]][::-1]
    return page(select(attached, params, filters), params, "/v1/payment_methods")


def _features_of_product(world: World, id: str, params: JSON) -> JSON:
    found = entitlements.of_product(world, id)[::-1]
    return page(found, params, f"/v1/products/{id}/features")


def _active_entitlements(world: World, params: JSON) -> JSON:
    found = entitlements.active(world, params.get("customer", ""))
    return page(found, params, "/v1/entitlements/active_entitlements")


def _quote_items(world: World, id: str, params: JSON) -> JSON:
    return page(quotes.items_of(world, id), params, f"/v1/quotes/{id}/line_items")


def _invoice_items(world: World, params: JSON) -> JSON:
    items: Sequence[JSON] = newest_first(world, "invoiceitem")
    if params.get("pending") is not None:
        items = [i for i in items if (i["invoice"] is None) is params["pending"]]
    found = select(items, params, ("customer", "invoice", "created"))
    return page(found, params, "/v1/invoiceitems")


def _schedules(world: World, params: JSON) -> JSON:
    items: Sequence[JSON] = newest_first(world, "subscription_schedule")
    if params.get("scheduled"):
        items = [i for i in items if i["status"] == "not_started"]
    found = select(items, params, ("customer", "created"))
    return page(found, params, "/v1/subscription_schedules")


def _void(world: World, id: str, params: JSON) -> JSON:
    return invoices.void(world, world.get("invoice", id))


def _send(world: World, id: str, params: JSON) -> JSON:
    invoice = world.get("invoice", id)
    if invoice["status"] == "draft":
        invoices.finalize(world, invoice)
    world.record("invoice.sent", invoice)
    return invoice


def _tax_ids(world: World, id: str, params: JSON) -> JSON:
    world.get("customer", id)
    found = world.of_customer("tax_id", id)[::-1]
    return page(found, params, f"/v1/customers/{id}/tax_ids")


def _usage_summaries(world: World, id: str, params: JSON) -> JSON:
    found = meter_events.summaries(world, id, params)
    return page(found, params, f"/v1/billing/meters/{id}/event_summaries")


def _credit_note_lines(world: World, id: str, params: JSON) -> JSON:
    lines: list[JSON] = world.get("credit_note", id)["lines"]["data"]
    return page(lines, params, f"/v1/credit_notes/{id}/lines")


def _search(kind: str, url: str) -> Handler:
    """Search by `field:'value'` clauses joined with AND."""

    def search(world: World, params: JSON) -> JSON:
        clauses = str(params.get("query", "")).split(" AND ")
        pairs = [clause.partition(":")[::2] for clause in clauses]
        wanted = {name.strip(): value.strip("'\" ") for name, value in pairs}
        found = [i for i in newest_first(world, kind) if _matches(i, wanted)]
        result = page(found, {"limit": params.get("limit", 10)}, url)
        return result | {"object": "search_result", "next_page": None}

    return search


def _matches(item: JSON, wanted: dict[str, str]) -> bool:
    for name, value in wanted.items():
        if name.startswith("metadata["):
            found: Any = (item.get("metadata") or {}).get(name[9:-1].strip("'\""))
        else:
            found = item.get(name)
        text = str(found).lower() if isinstance(found, bool) else str(found)
        if text.lower() != value.lower():
            return False
    return True


def crud(
    kind: str, url: str, module: Any, *filters: str, verbs: str = "create update delete"
) -> dict[str, Handler]:
    """The usual addresses of a resource."""
    table = {f"GET {url}": some(kind, url, *filters), f"GET {url}/:id": one(kind)}
    names = {"create": "POST " + url, "update": f"POST {url}/:id", "delete": f"DELETE {url}/:id"}
    for verb in verbs.split():
        table[names[verb]] = getattr(module, verb)
    return table


ROUTES: dict[str, Handler] = (
    crud("product", "/v1/products", products, "active", "ids", "created", "url")
    | crud(
        "price",
        "/v1/prices",
        prices,
        *("active", "product", "type", "lookup_keys", "currency", "created"),
        verbs="create update",
    )
    | crud("coupon", "/v1/coupons", coupons, "created")
    | crud(
        "promotion_code",
        "/v1/promotion_codes",
        promotion_codes,
        *("active", "code", "coupon", "customer", "created"),
        verbs="create update",
    )
    | crud("tax_rate", "/v1/tax_rates", tax_rates, "active", verbs="create update")
    | crud("customer", "/v1/customers", customers, "email", "created", verbs="create update")
    | crud(
        "charge", "/v1/charges", charges, *("customer", "payment_intent", "created"), verbs="update"
    )
    | crud(
        "refund",
        "/v1/refunds",
        refunds,
        "charge",
        "payment_intent",
        "created",
        verbs="create update",
    )
    | crud(
        "payment_intent",
        "/v1/payment_intents",
        payment_intents,
        "customer",
        "created",
        verbs="update",
    )
    | crud(
        "setup_intent",
        "/v1/setup_intents",
        setup_intents,
        "customer",
        "created",
        verbs="create update",
    )
    | crud(
        "invoice",
        "/v1/invoices",
        invoices,
        *("customer", "status", "subscription", "collection_method", "created"),
        verbs="update delete",
    )
    | crud(
        "invoiceitem",
        "/v1/invoiceitems",
        invoice_items,
        "customer",
        "invoice",
        verbs="update delete",
    )
    | crud("webhook_endpoint", "/v1/webhook_endpoints", webhook_endpoints)
    | crud(
        "billing_portal.configuration",
        "/v1/billing_portal/configurations",
        portal_configurations,
        "active",
        "is_default",
        verbs="create update",
    )
    | crud(
        "dispute", "/v1/disputes", disputes, "charge", "payment_intent", "created", verbs="update"
    )
    | crud(
        "credit_note",
        "/v1/credit_notes",
        credit_notes,
        "invoice",
        "customer",
        "created",
        verbs="create update",
    )
    | crud(
        "subscription_schedule",
        "/v1/subscription_schedules",
        subscription_schedules,
        "customer",
        "created",
        verbs="create update",
    )
    | crud("payout", "/v1/payouts", payouts, "status", "created", verbs="create update")
    | crud("quote", "/v1/quotes", quotes, "customer", "status", verbs="create")
    | {
        "POST /v1/payouts/:id/cancel": payouts.cancel,
        "GET /v1/balance_transactions": some(
            "balance_transaction",
            "/v1/balance_transactions",
            *("currency", "source", "type", "created"),
        ),
        "GET /v1/balance_transactions/:id": one("balance_transaction"),
        "GET /v1/invoiceitems": _invoice_items,
        "GET /v1/subscription_schedules": _schedules,
        "POST /v1/quotes/:id/finalize": quotes.finalize,
        "POST /v1/quotes/:id/accept": quotes.accept,
        "POST /v1/quotes/:id/cancel": quotes.cancel,
        "GET /v1/quotes/:id/line_items": _quote_items,
        "POST /v1/disputes/:id/close": disputes.close_by_api,
        "POST /v1/credit_notes/:id/void": credit_notes.void,
        "GET /v1/credit_notes/:id/lines": _credit_note_lines,
        "POST /v1/subscription_schedules/:id/cancel": subscription_schedules.cancel,
        "POST /v1/subscription_schedules/:id/release": subscription_schedules.release,
        "GET /v1/customers/:id/tax_ids": _tax_ids,
        "POST /v1/customers/:id/tax_ids": tax_ids.create,
        "GET /v1/customers/:id/tax_ids/:id": tax_ids.retrieve,
        "DELETE /v1/customers/:id/tax_ids/:id": tax_ids.delete,
        "GET /v1/tax_ids/:id": one("tax_id"),
        "GET /v1/account": account.retrieve,
        "GET /v1/events": _events,
        "GET /v1/events/:id": events.retrieve,
        "GET /v2/core/events/:id": events.retrieve_thin,
        "DELETE /v1/customers/:id": subscriptions.delete_customer,
        "DELETE /v1/customers/:id/discount": customers.delete_discount,
        "GET /v1/customers/search": _search("customer", "/v1/customers/search"),
        "GET /v1/charges/:id/refunds": _refunds_of_charge,
        "GET /v1/customers/:id/subscriptions": _subscriptions_of_customer,
        "GET /v1/customers/:id/payment_methods": _methods_of_customer,
        "GET /v1/customers/:id/payment_methods/:id": _method_of_customer,
        "GET /v1/products/search": _search("product", "/v1/products/search"),
        "GET /v1/prices/search": _search("price", "/v1/prices/search"),
        "GET /v1/subscriptions/search": _search("subscription", "/v1/subscriptions/search"),
        "GET /v1/products/:id/features": _features_of_product,
        "POST /v1/products/:id/features": entitlements.attach,
        "DELETE /v1/products/:id/features/:id": entitlements.detach,
        "POST /v1/entitlements/features": entitlements.create_feature,
        "GET /v1/entitlements/features": some(
            "entitlements.feature", "/v1/entitlements/features", "lookup_key"
        ),
        "GET /v1/entitlements/features/:id": one("entitlements.feature"),
        "POST /v1/entitlements/features/:id": entitlements.update_feature,
        "GET /v1/entitlements/active_entitlements": _active_entitlements,
        "POST /v1/payment_methods": payment_methods.create,
        "GET /v1/payment_methods": _methods,
        "GET /v1/payment_methods/:id": payment_methods.retrieve,
        "POST /v1/payment_methods/:id": payment_methods.update,
        "POST /v1/payment_methods/:id/attach": payment_methods.attach,
        "POST /v1/payment_methods/:id/detach": payment_methods.detach,
        "POST /v1/payment_intents": billing.create_intent,
        "POST /v1/payment_intents/:id/confirm": billing.confirm,
        "POST /v1/payment_intents/:id/cancel": payment_intents.cancel,
        "POST /v1/setup_intents/:id/confirm": setup_intents.confirm,
        "POST /v1/setup_intents/:id/cancel": setup_intents.cancel,
        "POST /v1/checkout/sessions": checkout_sessions.create,
        "GET /v1/checkout/sessions": _checkout_sessions,
        "GET /v1/checkout/sessions/:id": one("checkout.session"),
        "POST /v1/checkout/sessions/:id": checkout_sessions.update,
        "GET /v1/payment_pages/:id": one("checkout.session"),
        "POST /v1/payment_pages/:id/confirm": checkout_completion.confirm,
        "POST /v1/checkout/sessions/:id/expire": checkout_sessions.expire,
        "GET /v1/checkout/sessions/:id/line_items": _line_items,
        "POST /v1/billing_portal/sessions": portal_sessions.create,
        "POST /v1/subscriptions": subscriptions.create,
        "GET /v1/subscriptions": _subscriptions,
        "GET /v1/subscriptions/:id": one("subscription"),
        "POST /v1/subscriptions/:id": subscription_updates.update,
        "DELETE /v1/subscriptions/:id": subscriptions.cancel,
        "POST /v1/subscriptions/:id/resume": subscription_updates.resume,
        "DELETE /v1/subscriptions/:id/discount": subscriptions.delete_discount,
        "GET /v1/subscription_items": _subscription_items,
        "POST /v1/subscription_items": subscription_updates.create_item,
        "GET /v1/subscription_items/:id": _subscription_item,
        "POST /v1/subscription_items/:id": subscription_updates.update_item,
        "DELETE /v1/subscription_items/:id": subscription_updates.delete_item,
        "POST /v1/invoices": invoice_requests.create,
        "POST /v1/invoices/create_preview": invoice_requests.preview,
        "POST /v1/invoices/:id/pay": billing.pay_by_api,
        "POST /v1/invoices/:id/finalize": billing.finalize_by_api,
        "POST /v1/invoices/:id/send": _send,
        "POST /v1/invoices/:id/void": _void,
        "POST /v1/invoices/:id/mark_uncollectible": billing.mark_uncollectible,
        "GET /v1/invoices/:id/lines": _invoice_lines,
        "POST /v1/invoiceitems": invoice_requests.create_item,
        "GET /v1/invoice_payments": _invoice_payments,
        "GET /v1/invoice_payments/:id": one("invoice_payment"),
        "POST /v1/billing/meters": meter_events.create_meter,
        "GET /v1/billing/meters": some("billing.meter", "/v1/billing/meters", "status"),
        "GET /v1/billing/meters/:id": one("billing.meter"),
        "POST /v1/billing/meters/:id": meter_events.update_meter,
        "GET /v1/billing/meters/:id/event_summaries": _usage_summaries,
        "POST /v1/billing/meters/:id/deactivate": meter_events.deactivate,
        "POST /v1/billing/meters/:id/reactivate": meter_events.reactivate,
        "POST /v1/billing/meter_events": meter_events.create,
        "POST /v1/billing/meter_event_adjustments": meter_events.adjust,
    }
)


def _table() -> dict[tuple[str, int], list[tuple[list[str], Handler]]]:
    """The routes by method and number of segments, fixed segments before ids."""
    table: dict[tuple[str, int], list[tuple[list[str], Handler]]] = {}
    for route, handler in ROUTES.items():
        method, path = route.split(" ")
        segments = path.strip("/").split("/")
        table.setdefault((method, len(segments)), []).append((segments, handler))
    for entries in table.values():
        entries.sort(key=lambda entry: entry[0].count(":id"))
    return table


TABLE = _table()


def find(method: str, path: str) -> Handler:
    """Return the transition for an address with its ids filled in, or raise Stripe's 404."""
    segments = path.strip("/").split("/")
    for template, handler in TABLE.get((method, len(segments)), []):
        ids = _match(template, segments)
        if ids is not None:
            return partial(_call, handler, ids)
    message = f"Unrecognized request URL ({method}: {path})."
    raise StripeError(404, "invalid_request_error", message)


def _call(handler: Handler, ids: list[str], world: World, params: JSON) -> JSON:
    return handler(world, *ids, params)


def _match(template: list[str], segments: list[str]) -> list[str] | None:
    ids = []
    for expected, given in zip(template, segments, strict=True):
        if expected == ":id":
            ids.append(given)
        elif expected != given:
            return None
    return ids
