"""Which parameters of a Checkout Session go together, and how much one may hold."""

from urllib.parse import urlsplit

from stripe_simulator.errors import invalid
from stripe_simulator.snapshots import JSON

#: Line items of a session, and those of each kind where it makes a subscription.
MAX_ITEMS, MAX_ITEMS_OF_KIND = 100, 20
#: Stripe's maximum amount of one charge, in the currency's smallest unit.
MAX_AMOUNT = 99_999_999
MAX_QUANTITY = 999_999

#: Parameters that one mode takes alone.
OF_MODE = {
    "subscription_data": ("subscription",),
    "payment_intent_data": ("payment",),
    "setup_intent_data": ("setup",),
    "invoice_creation": ("payment",),
    "customer_creation": ("payment", "setup"),
    "line_items": ("payment", "subscription"),
    "discounts": ("payment", "subscription"),
    "allow_promotion_codes": ("payment", "subscription"),
}


def check(params: JSON) -> None:
    """Refuse parameters that exclude each other."""
    mode = params.get("mode")
    for name, modes in OF_MODE.items():
        if params.get(name) and mode not in modes:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", name)
    _check_page(params)
    _check_customer(params)
    if len(params.get("discounts") or []) > 1:
        raise invalid("You can only pass one discount.", "discounts")
    if mode == "setup" and not params.get("currency"):
        raise invalid("Missing required param: currency.", "currency", "parameter_missing")
    data = params.get("subscription_data") or {}
    if data.get("trial_end") and data.get("trial_period_days"):
        raise invalid("You may only specify one of these: trial_end, trial_period_days.")
    for place, item in enumerate(params.get("line_items") or []):
        _check_adjustable(item, f"line_items[{place}]")


def check_items(mode: str, items: list[JSON]) -> None:
    """Refuse too many items, or such in several currencies."""
    recurring = [item for item in items if item["price"]["type"] == "recurring"]
    once = [item for item in items if item["price"]["type"] != "recurring"]
    most = max(len(recurring), len(once)) if mode == "subscription" else 0
    if len(items) > MAX_ITEMS or most > MAX_ITEMS_OF_KIND:
        raise invalid("There are too many line items.", "line_items")
    if len({item["currency"] for item in items}) > 1:
        raise invalid("All line items must have the same currency.", "line_items")
    for place, item in enumerate(items):
        if not item["price"]["active"]:
            raise invalid(f"The price specified is inactive: {item['price']['id']}", "line_items")
        if (item["quantity"] or 0) > MAX_QUANTITY:
            param = f"line_items[{place}][quantity]"
            raise invalid(f"The quantity must be at most {MAX_QUANTITY}.", param)


def check_amount(session: JSON) -> None:
    """Refuse more than can be charged at once."""
    if (session["amount_total"] or 0) > MAX_AMOUNT:
        message = f"The total amount must be at most {MAX_AMOUNT}."
        raise invalid(message, code="amount_too_large")


def _check_page(params: JSON) -> None:
    hosted = params.get("ui_mode") in (None, "", "hosted_page")
    other = ("return_url", "redirect_on_completion") if hosted else ("success_url", "cancel_url")
    for name in other:
        if name in params:
            raise invalid(f"You can not pass `{name}` with this ui_mode.", name)
    for name in ("success_url", "cancel_url", "return_url"):
        check_url(params, name)


def check_url(params: JSON, name: str) -> None:
    """Refuse invalid URLs."""
    url = params.get(name)
    if url and not (urlsplit(url).scheme and urlsplit(url).netloc and len(url) <= 5000):
        raise invalid("Not a valid URL", name, "url_invalid")


def _check_customer(params: JSON) -> None:
    if not params.get("customer"):
        if params.get("customer_update"):
            message = "`customer_update` can only be used with `customer`."
            raise invalid(message, "customer_update")
        return
    for name in ("customer_email", "customer_creation"):
        if params.get(name):
            raise invalid(f"You may only specify one of these parameters: customer, {name}.")
    takes_tax_ids = (params.get("tax_id_collection") or {}).get("enabled")
    if takes_tax_ids and (params.get("customer_update") or {}).get("name") != "auto":
        message = "`tax_id_collection` needs `customer_update[name]` to be `auto`."
        raise invalid(message, "customer_update[name]")


def _check_adjustable(item: JSON, path: str) -> None:
    given = item.get("adjustable_quantity") or {}
    if not given.get("enabled"):
        return
    least, most = int(given.get("minimum", 0)), int(given.get("maximum", 99))
    name = f"{path}[adjustable_quantity]"
    if most > MAX_QUANTITY or least > most:
        raise invalid(f"`maximum` must be from `minimum` to {MAX_QUANTITY}.", f"{name}[maximum]")
    if not least <= int(item.get("quantity") or 1) <= most:
        raise invalid("The quantity must be from `minimum` to `maximum`.", f"{path}[quantity]")
