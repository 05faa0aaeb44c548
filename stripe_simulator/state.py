"""A world as one JSON document, so that a second start finds what the first one left."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stripe_simulator.http.api import Api
from stripe_simulator.http.messages import Answer
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def dump(api: Api, owed: Iterable[tuple[str, str]] = ()) -> JSON:
    """Everything that a world and its API remember, and the deliveries that are owed."""
    world = api.world
    version, numbers, gauss = world.ids.random.getstate()
    return {
        "now": world.now,
        "account": world.ids.account,
        "random": [version, list(numbers), gauss],
        "agenda": [list(entry) for entry in world.clock.agenda],
        "objects": world.objects,
        "side": world.side,
        "events": world.events,
        "outbox": [*owed, *world.outbox],
        "idempotency": {
            key: [fingerprint, answer.status, answer.body, answer.headers]
            for key, (fingerprint, answer) in api.idempotency.answers.items()
        },
    }


def load(api: Api, state: JSON) -> None:
    """Load a dumped state into a new world, at the clock time of the dump: see `catch_up`."""
    world = api.world
    restore_world(world, state)
    api.idempotency.answers = {
        key: (fingerprint, Answer(status, body, headers))
        for key, (fingerprint, status, body, headers) in state["idempotency"].items()
    }


def restore_world(world: World, state: JSON) -> None:
    """Put the dumped objects, events, agenda and random state back."""
    version, numbers, gauss = state["random"]
    world.ids.random.setstate((version, tuple(numbers), gauss))
    world.ids.account = state["account"]
    world.clock.agenda = [_entry(entry) for entry in state["agenda"]]
    world.clock.resume(state["now"])
    world.objects, world.side = state["objects"], state["side"]
    world.events = state["events"]
    world.events_by_id = {event["id"]: event for event in world.events}
    world.outbox = [(event, endpoint) for event, endpoint in state["outbox"]]


def _entry(entry: list[Any]) -> tuple[int, int, str, str]:
    when, count, action, id = entry
    return when, count, action, id


def save(path: Path, state: JSON) -> None:
    """Write a state whole or not at all."""
    beside = path.with_name(path.name + ".new")
    with beside.open("w") as file:
        file.write(json.dumps(state))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read(path: Path) -> JSON | None:
    """Return the state in a file, None when there is none."""
    if not path.exists():
        return None
    state: JSON = json.loads(path.read_text())
    return state
