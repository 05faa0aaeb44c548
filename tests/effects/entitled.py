"""An app with handlers of entitlement events that note their calls in a file."""

import json
import os
from pathlib import Path

from gateway import Event, EventContext, Gateway

app = Gateway()


@app.on("entitlement.*")
def follow(event: Event, context: EventContext) -> None:
    """Note the event."""
    values = {"type": event.type, "user": event.user, "object": event.object, "key": context.key}
    domain = sorted(event.domain_events)
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(json.dumps({"effect": "entitlement", "domain": domain, **values}) + "\n")
