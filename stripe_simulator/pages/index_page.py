"""The first page: what this is, and where everything lies."""

from datetime import UTC, datetime
from html import escape

from stripe_simulator.pages.layout import page, table
from stripe_simulator.resources.checkout_completion import is_processing
from stripe_simulator.settings import API_VERSION
from stripe_simulator.world import World

ADDRESSES = [
    ["/v1/…", "Stripe's API; any sk_test_ key unless one was chosen"],
    ["/c/pay/:id", "Checkout pages, at each session's url"],
    ["/p/session/:id", "Billing portal pages, at each portal session's url"],
    ["/_simulator/state", "Counts, clock, faults, switches"],
    ["/_simulator/deliveries", "Webhook deliveries and their answers"],
]


def show(world: World) -> str:
    """The list of what is here."""
    now = datetime.fromtimestamp(world.now, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    body = f"<p>A simulator of Stripe's API {API_VERSION}. Its clock shows {now}.</p>"
    body += table(["Address", "What"], ADDRESSES)
    body += "<h2>Open sessions</h2>" + _sessions(world)
    newest = world.events[:-21:-1]
    rows = [[event["type"], event["id"]] for event in newest]
    body += "<h2>Newest events</h2>" + table(["Type", "Id"], rows)
    body += '<p><a href="/_simulator/state">State</a> · '
    return page("Stripe simulator", body + '<a href="/_simulator/deliveries">Deliveries</a></p>')


def _sessions(world: World) -> str:
    sessions = world.all("checkout.session").values()
    links = [(s["url"], f"Checkout {s['mode']} {s['id'][:24]}…") for s in sessions if s["url"]][
        -20:
    ]
    waiting = [s["id"] for s in sessions if is_processing(world, s)][-20:]
    links += [(f"/c/pay/{id}", f"Bank debit of {id[:24]}…") for id in waiting]
    portals = list(world.all("billing_portal.session").values())[-20:]
    links += [(s["url"], f"Portal of {s['customer']}") for s in portals]
    return (
        "<ul>"
        + "".join(f'<li><a href="{escape(u)}">{escape(t)}</a></li>' for u, t in links)
        + "</ul>"
    )


def receipt(world: World, id: str) -> str:
    """The hosted page of an invoice."""
    invoice = world.get("invoice", id)
    rows = [[line["description"] or "", str(line["amount"])] for line in invoice["lines"]["data"]]
    rows.append(["Total", str(invoice["total"])])
    text = f"<p>Invoice {escape(invoice['number'] or 'draft')}: {escape(invoice['status'])}</p>"
    return page("Invoice", text + table(["Line", "Amount"], rows))
