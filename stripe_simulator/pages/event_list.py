"""A list of events, with the newest answer of a webhook endpoint to each."""

from collections.abc import Sequence

from stripe_simulator.pages.kinds import locate
from stripe_simulator.pages.layout import date, link, table_of_html
from stripe_simulator.simulator import Simulator
from stripe_simulator.snapshots import JSON

_MOST = 100


def list_events(simulator: Simulator, events: Sequence[JSON]) -> str:
    """A table of up to 100 events."""
    answers = {entry["event"]: entry["status_code"] for entry in simulator.deliverer.log}
    rows = [
        [
            link(f"/events/{event['id']}", event["type"]),
            _object(event),
            date(event["created"]),
            describe_answer(event, answers),
        ]
        for event in events[:_MOST]
    ]
    return table_of_html(["Type", "Object", "Created", "Webhook"], rows) if rows else "<p>None.</p>"


def describe_answer(event: JSON, answers: dict[str, int | None]) -> str:
    """The status of the newest delivery: waiting, none or a number."""
    if event["id"] not in answers:
        return "waiting" if event["pending_webhooks"] else "not sent"
    return str(answers[event["id"]] or "no answer")


def _object(event: JSON) -> str:
    obj = event["data"]["object"]
    id = obj.get("id", "")
    return link(locate(obj["object"], id), id) if id else ""
