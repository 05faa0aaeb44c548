"""The billing portal: a customer's subscriptions, invoices and card."""

from datetime import UTC, datetime
from html import escape

from stripe_simulator.errors import invalid
from stripe_simulator.pages.checkout_page import CARDS
from stripe_simulator.pages.layout import button, hidden, money, note, page, table
from stripe_simulator.resources import portal_sessions, prices
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def show(world: World, id: str, message: str | None = None) -> str:
    """The page of a portal session, or of the one flow it was made for."""
    session = world.get("billing_portal.session", id)
    flow = session["flow"] or {}
    wanted = (flow.get(flow.get("type", "")) or {}).get("subscription")
    body = note(message)
    for sub in portal_sessions.subscriptions_of(world, session["customer"]):
        if wanted in (None, sub["id"]):
            body += _subscription(world, sub)
    body += _card()
    if not flow:
        body += _invoices(world, session["customer"])
    if session["return_url"]:
        body += f'<p><a href="{escape(session["return_url"])}">Return to the seller</a></p>'
    return page("Billing", body)


def submit(world: World, id: str, fields: dict[str, str]) -> str:
    """Perform a button's action; return the address to go to."""
    session = world.get("billing_portal.session", id)
    action, sub = fields.get("action", ""), fields.get("subscription", "")
    if action == "cancel":
        portal_sessions.cancel_subscription(world, session, sub)
    elif action == "cancel_with_flag":
        portal_sessions.cancel_subscription(world, session, sub, by_flag=True)
    elif action == "cancel_now":
        portal_sessions.cancel_now(world, session, sub)
    elif action == "resume":
        portal_sessions.renew_subscription(world, session, sub)
    elif action == "change_plan":
        quantity = fields.get("quantity", "")
        number = int(quantity) if quantity.isdigit() else None
        portal_sessions.change_plan(world, session, sub, fields.get("price", ""), number)
    elif action == "payment_method":
        last4 = fields.get("card", "4242")[-4:]
        portal_sessions.update_payment_method(world, session, last4)
    else:
        raise invalid(f"Unknown action: {action}", "action")
    return _after(session)


def _after(session: JSON) -> str:
    after = (session["flow"] or {}).get("after_completion") or {}
    if after.get("type") == "redirect":
        return str(after["redirect"]["return_url"])
    return f"/p/session/{session['id']}"


def _subscription(world: World, sub: JSON) -> str:
    item = sub["items"]["data"][0]
    product = world.find("product", item["price"]["product"]) or {"name": "Subscription"}
    end = f"until {day(item['current_period_end'])}"
    if sub["ended_at"]:
        end = f"ended on {day(sub['ended_at'])}"
    elif sub["cancel_at"]:
        end = f"ends on {day(sub['cancel_at'])}"
    head = f"<h2>{escape(product['name'])}</h2><p>{escape(sub['status'])}, {end}</p>"
    if sub["status"] in ("canceled", "incomplete_expired"):
        return head
    fields = hidden("subscription", sub["id"]) + _actions(world, sub)
    return f'{head}<form method="post">{fields}</form>'


def _actions(world: World, sub: JSON) -> str:
    plans = [p for p in world.all("price").values() if p["type"] == "recurring" and p["active"]]
    current = sub["items"]["data"][0]["price"]["id"]
    options = "".join(
        f'<option value="{p["id"]}"{" selected" * (p["id"] == current)}>'
        f"{escape(_name(world, p))}</option>"
        for p in plans
    )
    change = f'<label>Plan <select name="price">{options}</select></label>'
    change += button("action", "change_plan", "Change plan", True)
    if sub["cancel_at"]:
        return change + button("action", "resume", "Don't cancel")
    return (
        change
        + button("action", "cancel", "Cancel at the end of the period", True)
        + button("action", "cancel_with_flag", "Cancel by cancel_at_period_end", True)
        + button("action", "cancel_now", "Cancel now", True)
    )


def _name(world: World, price: JSON) -> str:
    product = world.find("product", price["product"]) or {"name": ""}
    amount = money(prices.amount(world, price, 1), price["currency"])
    return f"{product['name']} - {amount} every {price['recurring']['interval']}"


def _card() -> str:
    cards = "".join(f'<option value="{n}">{escape(text)}</option>' for n, text in CARDS.items())
    field = f'<label>New card <select name="card">{cards}</select></label>'
    press = button("action", "payment_method", "Update payment method", True)
    return f'<h2>Payment method</h2><form method="post">{field}{press}</form>'


def _invoices(world: World, customer: str) -> str:
    rows = [
        [
            invoice["number"] or "draft",
            invoice["status"],
            money(invoice["total"], invoice["currency"]),
        ]
        for invoice in world.all("invoice").values()
        if invoice["customer"] == customer
    ]
    return "<h2>Invoices</h2>" + table(["Number", "Status", "Total"], rows)


def day(when: int) -> str:
    """A date as people read it."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d")
