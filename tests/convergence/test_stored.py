"""PocketBase stores the exact output of each projection, for any object."""

import json
from itertools import count

from hypothesis import given, settings

from gateway.mirror.event_change import decide
from gateway.stripe_api.event import parse
from tests.convergence.bench import Bench
from tests.convergence.mirror import differences
from tests.delivery import build_event
from tests.mirror.projections.junk import Json, spoiled

_NUMBERS = count()


def test_junk_is_stored(bench: Bench) -> None:
    """Objects with junk in them are applied, and their rows read back as they were projected."""

    @settings(max_examples=60, deadline=None)
    @given(spoiled())
    def deliver(item: Json) -> None:
        name = "customer" if item["object"].startswith("entitlements") else "id"
        item[name] = f"junk_{next(_NUMBERS)}"
        event = build_event(f"{item['object']}.updated", item)
        planned = decide(parse(json.dumps(event)))

        bench.loop.run(bench.deliverer.deliver([event]))

        if planned.state:
            row = planned.state.row
            stored = bench.mirror.read(row.collection, [row.stripe_id])
            assert not differences(row.values, stored.get(row.stripe_id))

    deliver()
