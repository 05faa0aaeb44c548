"""After each delivery, not only in the end, entitlements are what a full recompute gives."""

from random import Random

import pytest

from tests.convergence.bench import Bench
from tests.convergence.history import MOVES, History


@pytest.mark.parametrize("seed", range(4))
def test_entitlements_follow_each_delivery(bench: Bench, seed: int) -> None:
    """No change, in any order of arrival, misses a recomputation."""
    random = Random(seed)
    history = History(bench)
    for name in [*MOVES, *random.choices(MOVES, k=len(MOVES))]:
        history.move(name, random)
        history.world.clock.advance(random.choice([0, 0, 1, 3_700]))
    events = list(history.world.events)
    if seed % 2:
        random.shuffle(events)
    for event in events:
        bench.loop.run(bench.deliverer.deliver([event]))
        bench.mirror.wait_followed_up()
        assert not history.wrong_entitlements(), event
