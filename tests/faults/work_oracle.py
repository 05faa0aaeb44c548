"""Compares the effect log and PocketBase's rows with the guarantees of docs/work.md."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.dashboard import Dashboard
from tests.faults.effect_log import Effect, EffectLog
from tests.faults.tickets import Tickets
from tests.frontend import Record

_SHIP, _CHARGE = "after:tests.faults.work_app.ship", "after:tests.faults.work_app.charge"


async def find_wrong(tickets: Tickets, log: EffectLog, dashboard: Dashboard) -> list[str]:
    """Return each broken guarantee, in words."""
    rows: dict[str, dict[str, Record]] = defaultdict(dict)
    for row in await dashboard.list("gateway_work"):
        rows[row["handler"]][row["id"]] = row
    shipments = Counter(
        (row["ticket"], int(row["number"])) for row in await dashboard.list("shipments")
    )
    changes = [(id, number) for id, last in tickets.last.items() for number in range(last + 1)]
    return [
        *_check_repeated("ship", log.of("ship"), rows[_SHIP], len(changes)),
        *_check_order(log.of("ship"), tickets),
        *(f"{each} has {shipments[each]} shipments" for each in changes if shipments[each] != 1),
        *_check_at_most_once(log.of("charge"), rows[_CHARGE], len(changes)),
        *_check_repeated(
            "announce",
            log.of("announce"),
            rows["job.announce"],
            len(tickets.announcements),
        ),
        *(f"job {id} is lost" for id in tickets.announcements if id not in rows["job.announce"]),
    ]


def _check_repeated(
    name: str, effects: Sequence[Effect], rows: dict[str, Record], causes: int
) -> Iterator[str]:
    """Each cause has one item, which is done, and its effects all have the item's key."""
    if len(rows) != causes:
        yield f"{name}: {len(rows)} items of {causes} causes"
    keys: dict[tuple[str, int], set[str]] = defaultdict(set)
    for effect in effects:
        keys[effect.ticket, effect.number].add(effect.key)
    yield from (
        f"{name} {cause} has keys {found}" for cause, found in keys.items() if len(found) > 1
    )
    seen = {effect.key for effect in effects}
    yield from (f"{name} {id} had no effect" for id in rows.keys() - seen)
    yield from (f"{name} {id} is unknown" for id in seen - rows.keys())
    yield from (
        f"{name} {id} is {row['status']}: {row['error']}"
        for id, row in rows.items()
        if row["status"] != "done"
    )


def _check_order(effects: Sequence[Effect], tickets: Tickets) -> Iterator[str]:
    """The first effects of a ticket's changes have the order of the changes."""
    firsts: dict[str, list[int]] = defaultdict(list)
    for effect in effects:
        if effect.number not in firsts[effect.ticket]:
            firsts[effect.ticket].append(effect.number)
    for id, last in tickets.last.items():
        if firsts[id] != list(range(last + 1)):
            yield f"ticket {id} has {last + 1} changes, shipped as {firsts[id]}"


def _check_at_most_once(
    effects: Sequence[Effect], rows: dict[str, Record], causes: int
) -> Iterator[str]:
    """Each cause has one item; a done one has one effect, a parked one has at most one."""
    if len(rows) != causes:
        yield f"charge: {len(rows)} items of {causes} causes"
    times = Counter(effect.key for effect in effects)
    yield from (f"charge {key} ran {number} times" for key, number in times.items() if number > 1)
    yield from (f"charge {id} is unknown" for id in times.keys() - rows.keys())
    for id, row in rows.items():
        if row["status"] not in ("done", "parked"):
            yield f"charge {id} is {row['status']}"
        if row["status"] == "done" and not times[id]:
            yield f"charge {id} is done without an effect"
