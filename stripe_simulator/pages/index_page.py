"""The first page: the account's objects, its clock, and the newest events."""

from html import escape

from stripe_simulator.pages.event_list import list_events
from stripe_simulator.pages.kinds import KINDS, locate
from stripe_simulator.pages.layout import date, link, note, page, table, table_of_html
from stripe_simulator.pages.scenario_forms import show_forms
from stripe_simulator.resources.checkout_completion import is_processing
from stripe_simulator.scenarios.scenario import ACCOUNT
from stripe_simulator.settings import API_VERSION
from stripe_simulator.simulator import Simulator
from stripe_simulator.world import World

ADDRESSES = [
    ["/v1/…", "Stripe's API"],
    ["/c/pay/:id", "Checkout pages, at each session's url"],
    ["/p/session/:id", "Billing portal pages, at each portal session's url"],
    ["/_simulator/…", "The control API for tests"],
]
_NEWEST = 20
_DUE = 5


def show(simulator: Simulator, since: int | None = None, message: str | None = None) -> str:
    """The page.

    Args:
        since: number of events before a scenario that just ran.
        message: why one did not.
    """
    world = simulator.world
    body = note(message) + f"<p>A simulator of Stripe's API {API_VERSION}.</p>"
    body += _objects(world)
    body += f"<h2>Clock</h2><p>{date(world.now)} UTC</p>" + show_forms(ACCOUNT, {})
    body += _due(world)
    if since is not None:
        body += "<h2>What happened</h2>" + list_events(simulator, world.events[since:])
    body += "<h2>Open sessions</h2>" + _sessions(world)
    newest = world.events[: -_NEWEST - 1 : -1]
    body += "<h2>Newest events</h2>" + list_events(simulator, newest)
    body += f"<p>{link('/events', 'All events')}</p>"
    body += "<h2>Addresses</h2>" + table(["Address", "What"], ADDRESSES)
    body += _describe_api(world.settings.public_url)
    body += '<p><a href="/_simulator/state">State</a> · '
    return page("Stripe simulator", body + '<a href="/_simulator/deliveries">Deliveries</a></p>')


def _describe_api(url: str) -> str:
    return (
        "<p>Beside <code>gateway dev</code> and <code>make run</code> the API takes one key,"
        " <code>SIMULATOR_SECRET_KEY</code> in <code>.local/secrets.env</code>, otherwise any"
        " <code>sk_test_</code> key. As at Stripe, parameters such as <code>price</code> are ids."
        " This finds the id of a lookup key:</p><pre>. .local/secrets.env\n"
        'curl -s -u "$SIMULATOR_SECRET_KEY:" -G -d "lookup_keys[]=pro_monthly" '
        f"{escape(url)}/v1/prices</pre>"
    )


def _objects(world: World) -> str:
    rows = [[link(locate(kind.name), kind.title), str(len(world.all(kind.name)))] for kind in KINDS]
    rows.append([link("/events", "Events"), str(len(world.events))])
    return table_of_html(["Objects", "Number"], rows)


def _due(world: World) -> str:
    rows = [[date(entry[0]), entry[2], entry[3]] for entry in sorted(world.clock.agenda)[:_DUE]]
    return table(["Due next", "What", "Object"], rows) if rows else ""


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
