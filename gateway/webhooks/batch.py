"""Composes one batch from changes that arrived together. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.mirror.event_change import EventChange, Key, event_row, key_of
from gateway.mirror.ordering import State, latest
from gateway.pocketbase import CommitBatch, EventRow, VersionedRow


@dataclass(frozen=True, slots=True)
class Composed:
    """A batch, and the index of each change's event in it."""

    batch: CommitBatch
    #: Index in ``batch.events``, None for a change that only Stripe can decide.
    places: tuple[int | None, ...]


def compose(changes: Sequence[EventChange]) -> Composed:
    """Compose a batch: each event once, of each object only the newest state.

    Thin events, and events that do not show their object's newest state, are left out.
    """
    states: dict[Key, list[State]] = {}
    for change in changes:
        if change.state:
            states.setdefault(key_of(change), []).append(change.state)
    winners = {key: latest(of_one) for key, of_one in states.items()}

    events: list[EventRow] = []
    rows: dict[Key, VersionedRow] = {}
    places: dict[str, int] = {}
    row_places = {key: i for i, key in enumerate(key for key, won in winners.items() if won)}
    for change in changes:
        key = key_of(change)
        undecided = change.outcome == "thin" or (change.state and not winners[key])
        if undecided or change.event.stripe_id in places:
            continue
        place = places[change.event.stripe_id] = len(events)
        events.append(event_row(change, row=row_places.get(key)))
        winner = winners.get(key)
        if winner and winner.event.stripe_id == change.event.stripe_id:
            rows[key] = VersionedRow(winner.row, winner.version, event=place, again=change.again)
    return Composed(
        batch=CommitBatch(
            events=events,
            rows=[rows[key] for key in row_places],
            claims=tuple({claim: None for change in changes for claim in change.claims}),
        ),
        places=tuple(places.get(change.event.stripe_id) for change in changes),
    )
