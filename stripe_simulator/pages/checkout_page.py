"""The Checkout page: what is bought, by which card, and how it ends."""

from html import escape

from stripe_simulator.errors import invalid
from stripe_simulator.pages.layout import button, money, note, page, table
from stripe_simulator.resources import line_items
from stripe_simulator.resources.checkout_completion import (
    Form,
    complete,
    finish_delayed,
    is_processing,
)
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

CARDS = {
    "4242": "4242 4242 4242 4242 - succeeds",
    "4444": "5555 5555 5555 4444 - succeeds (Mastercard)",
    "0341": "4000 0000 0000 0341 - succeeds now, declines at renewal",
    "3155": "4000 0025 0000 3155 - succeeds now, asks for authentication at renewal",
    "0002": "4000 0000 0000 0002 - declined",
    "9995": "4000 0000 0000 9995 - insufficient funds",
}

#: How a bank debit may end, with the buttons' texts.
BANK = {"bank_pays": "The bank pays", "bank_refuses": "The bank refuses"}


def show(world: World, id: str, message: str | None = None) -> str:
    """The page of a session."""
    session = world.get("checkout.session", id)
    if session["status"] != "open":
        text = f"<p>This session is {escape(session['status'])}.</p>"
        return page("Checkout", note(message) + text + _bank(world, session))
    return page("Checkout", note(message) + _items(world, session) + _form(world, session))


def submit(world: World, id: str, fields: dict[str, str]) -> str:
    """Perform a button's action; return the address to go to, or raise the error to show."""
    session = world.get("checkout.session", id)
    outcome = fields.get("outcome", "pay")
    if outcome == "cancel":
        return str(session["cancel_url"] or session["return_url"] or "/")
    if outcome in BANK:
        finish_delayed(world, id, outcome == "bank_pays")
    elif outcome in ("pay", "decline", "async"):
        complete(world, id, _read(fields, outcome))
    else:
        raise invalid(f"Unknown outcome: {outcome}", "outcome")
    where = str(session["success_url"] or session["return_url"] or "/")
    return where.replace("{CHECKOUT_SESSION_ID}", id)


def _bank(world: World, session: JSON) -> str:
    if not is_processing(world, session):
        return ""
    buttons = "".join(button("outcome", name, text, True) for name, text in BANK.items())
    return f'<p>Its bank debit is on its way.</p><form method="post">{buttons}</form>'


def _read(fields: dict[str, str], outcome: str) -> Form:
    quantities = {
        name.removeprefix("quantity_"): int(value)
        for name, value in fields.items()
        if name.startswith("quantity_") and value.isdigit()
    }
    return Form(
        card="0002" if outcome == "decline" else fields.get("card", "4242")[-4:],
        delayed=outcome == "async",
        email=fields.get("email") or None,
        name=fields.get("name") or None,
        country=fields.get("country") or "US",
        promotion_code=fields.get("promotion_code") or None,
        quantities=quantities,
    )


def _items(world: World, session: JSON) -> str:
    if session["mode"] == "setup":
        return "<p>Save a payment method for later.</p>"
    rows = [
        [
            f"{_count(item)}{item['description']}{_every(item['price'])}",
            money(item["amount_total"], item["currency"]),
        ]
        for item in line_items.of_session(world, session["id"])
    ]
    rows.append(["Total", money(session["amount_total"], session["currency"])])
    return table(["Item", "Amount"], rows)


def _count(item: JSON) -> str:
    return "" if item["quantity"] is None else f"{item['quantity']} x "


def _every(price: JSON) -> str:
    recurring = price["recurring"]
    if not recurring:
        return ""
    count = recurring["interval_count"]
    return (
        f" every {recurring['interval']}"
        if count == 1
        else f" every {count} {recurring['interval']}s"
    )


def _form(world: World, session: JSON) -> str:
    fields = [_email(world, session), _text("name", "Name on card", "Jenny Rosen")]
    fields += [
        _text(f"quantity_{item['id']}", f"Quantity of {item['description']}", str(item["quantity"]))
        for item in line_items.of_session(world, session["id"])
        if (item["adjustable_quantity"] or {}).get("enabled")
    ]
    if session["allow_promotion_codes"]:
        fields.append(_text("promotion_code", "Promotion code", ""))
    cards = "".join(f'<option value="{n}">{escape(text)}</option>' for n, text in CARDS.items())
    fields.append(f'<label>Card <select name="card">{cards}</select></label>')
    verb = {"payment": "Pay", "subscription": "Subscribe", "setup": "Save"}[session["mode"]]
    buttons = button("outcome", "pay", verb) + button(
        "outcome", "decline", "Pay with a declined card", True
    )
    if session["mode"] != "setup":
        buttons += button("outcome", "async", "Pay by bank debit (delayed)", True)
    buttons += button("outcome", "cancel", "Cancel", True)
    return f'<form method="post">{"".join(fields)}{buttons}</form>'


def _email(world: World, session: JSON) -> str:
    customer = world.find("customer", session["customer"]) or {}
    known = session["customer_email"] or customer.get("email")
    if known:
        return f"<p>{escape(known)}</p>"
    return _text("email", "Email", "buyer@example.com")


def _text(name: str, title: str, value: str) -> str:
    field = f'<input name="{escape(name)}" value="{escape(value)}">'
    return f"<label>{escape(title)} {field}</label>"
