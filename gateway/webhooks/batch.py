"""Composes one transaction from the plans of events that arrived together. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.mirror.event_change import EventChange, Key, event_row, key_of
from gateway.mirror.ordering import State, latest
from gateway.pocketbase import CommitBatch, EventRow, VersionedRow


@dataclass(frozen=True, slots=True)
class Composed:
    """A group, and where in it each plan's event stands."""

    group: CommitBatch
    #: Index in ``group.events``, None for a plan that only Stripe can decide.
    places: tuple[int | None, ...]


def compose(plans: Sequence[EventChange]) -> Composed:
    """Write each event once, and of each object only the latest state.

    Events of an object whose latest state they can't tell are left out, thin ones as well.
    """
    states: dict[Key, list[State]] = {}
    for plan in plans:
        if plan.state:
            states.setdefault(key_of(plan), []).append(plan.state)
    winners = {key: latest(of_one) for key, of_one in states.items()}

    events: list[EventRow] = []
    rows: dict[Key, VersionedRow] = {}
    places: dict[str, int] = {}
    row_places = {key: i for i, key in enumerate(key for key, won in winners.items() if won)}
    for plan in plans:
        key = key_of(plan)
        undecided = plan.outcome == "thin" or (plan.state and not winners[key])
        if undecided or plan.event.stripe_id in places:
            continue
        place = places[plan.event.stripe_id] = len(events)
        events.append(event_row(plan, row=row_places.get(key)))
        winner = winners.get(key)
        if winner and winner.event.stripe_id == plan.event.stripe_id:
            rows[key] = VersionedRow(winner.row, winner.version, event=place, again=plan.again)
    return Composed(
        group=CommitBatch(
            events=events,
            rows=[rows[key] for key in row_places],
            claims=tuple({claim: None for plan in plans for claim in plan.claims}),
        ),
        places=tuple(places.get(plan.event.stripe_id) for plan in plans),
    )
