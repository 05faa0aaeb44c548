"""The pages of objects: a list of each kind, and one object with its scenarios and events."""

import re
from html import escape

from stripe_simulator.http.messages import pretty
from stripe_simulator.pages.event_list import list_events
from stripe_simulator.pages.kinds import KINDS, find_kind, locate
from stripe_simulator.pages.layout import date, link, note, page, table_of_html
from stripe_simulator.pages.scenario_forms import show_forms
from stripe_simulator.simulator import Simulator
from stripe_simulator.snapshots import JSON, show
from stripe_simulator.world import World

_MOST = 100
_EVENTS = 20
#: Ids such as sub_1SWb, in JSON that is escaped already.
_ID = re.compile(r"(?<=&quot;)[a-z]+_[A-Za-z0-9_]+(?=&quot;)")


def show_list(simulator: Simulator, name: str) -> str:
    """The newest 100 objects of a kind."""
    world, kind = simulator.world, find_kind(name)
    objects = list(world.all(name).values())[: -_MOST - 1 : -1]
    rows = [
        [link(locate(name, obj["id"]), obj["id"]), escape(kind.describe(world, obj)), _created(obj)]
        for obj in objects
    ]
    body = table_of_html(["Id", "Object", "Created"], rows) if rows else "<p>None yet.</p>"
    return page(kind.title, navigation() + body)


def show_object(
    simulator: Simulator, name: str, id: str, since: int | None = None, message: str | None = None
) -> str:
    """One object.

    Args:
        since: number of events before a scenario that just ran.
        message: why one did not.

    Raises:
        StripeError: there is no such object.
    """
    world, kind = simulator.world, find_kind(name)
    obj = world.get(name, id)
    body = navigation() + note(message) + f"<p>{escape(kind.describe(world, obj))}</p>"
    body += _hosted_page(obj) + show_forms(name, obj)
    if since is not None:
        body += "<h2>What happened</h2>" + list_events(simulator, world.events[since:])
    body += f"<h2>Object</h2><pre>{link_ids(world, obj)}</pre>"
    return page(f"{name} {id}", body + _events(simulator, id))


def show_missing(simulator: Simulator, name: str, id: str) -> str:
    """The events of an object that does not exist any more, such as a deleted customer."""
    body = navigation() + "<p>This object does not exist (any more).</p>"
    return page(f"{name} {id}", body + _events(simulator, id))


def navigation() -> str:
    """Links to the first page and every list."""
    links = [link("/", "Simulator"), *(link(locate(each.name), each.title) for each in KINDS)]
    return "<nav>" + " ".join([*links, link("/events", "Events")]) + "</nav>"


def link_ids(world: World, obj: JSON) -> str:
    """An object as JSON, in which ids of existing objects are links."""

    def replace(found: re.Match[str]) -> str:
        id = found.group()
        kinds = (kind for kind, objects in world.objects.items() if id in objects)
        kind = next(kinds, None)
        return link(locate(kind, id), id) if kind else id

    return _ID.sub(replace, escape(pretty(show(obj))))


def _events(simulator: Simulator, id: str) -> str:
    events = simulator.world.events
    own = [event for event in events if event["data"]["object"].get("id") == id]
    return "<h2>Its newest events</h2>" + list_events(simulator, own[: -_EVENTS - 1 : -1])


def _created(obj: JSON) -> str:
    return date(obj.get("created"))


def _hosted_page(obj: JSON) -> str:
    if obj["object"] == "customer":
        path = f"{locate('customer', obj['id'])}/portal"
        press = '<button class="plain">Open the billing portal</button>'
        return f'<form method="post" action="{escape(path)}">{press}</form>'
    url = obj.get("url") if obj["object"] == "checkout.session" else obj.get("hosted_invoice_url")
    return f"<p>{link(url, 'The page that the customer sees')}</p>" if url else ""
