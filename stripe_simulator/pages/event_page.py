"""The pages of events: all of them, and one with its deliveries."""

from html import escape

from stripe_simulator.pages.event_list import list_events
from stripe_simulator.pages.layout import button, page, table
from stripe_simulator.pages.object_page import link_ids, navigation
from stripe_simulator.resources import events
from stripe_simulator.simulator import Simulator


def show_list(simulator: Simulator) -> str:
    """The newest 100 events."""
    newest = events.newest_first(simulator.world)
    return page("Events", navigation() + list_events(simulator, newest))


def show_event(simulator: Simulator, id: str) -> str:
    """One event.

    Raises:
        StripeError: there is no such event, or it is older than 30 days.
    """
    event = events.retrieve(simulator.world, id, {})
    rows = [
        [entry["endpoint"], str(entry["attempt"]), str(entry["status_code"] or "no answer")]
        for entry in simulator.deliverer.log
        if entry["event"] == id
    ]
    again = button("action", "redeliver", "Deliver it again", plain=True)
    body = navigation() + f"<p>{escape(event['type'])}</p>"
    body += f'<form method="post">{again}</form>'
    body += "<h2>Deliveries</h2>" + table(["Endpoint", "Attempt", "Answer"], rows)
    return page(f"event {id}", body + f"<pre>{link_ids(simulator.world, event)}</pre>")
