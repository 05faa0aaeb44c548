"""Any order of delivery ends in the rows that the in-order history gives.

`make test` plays 25 histories. The nightly profile plays 2,000:

    CONVERGENCE_HISTORIES=2000 make test ARGS='-n 0 -s tests/convergence/test_histories.py'

With `-s` it prints what share of the events had to be read from Stripe.
"""

import os
import sys
from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from gateway.mirror.nested_lists import is_truncated
from gateway.mirror.registry import BY_OBJECT
from tests.convergence.bench import Bench
from tests.convergence.history import MOVES, History

HISTORIES = int(os.environ.get("CONVERGENCE_HISTORIES", "25"))
SETTINGS = settings(
    max_examples=HISTORIES,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
_RANDOMS = st.integers(0, 2**32).map(Random)
#: Mostly nowhere, so that events share seconds.
_SECONDS = st.sampled_from([0, 0, 1, 2, 3_700, 3 * 86_400, 31 * 86_400])


class Tally:
    """Numbers of all histories together."""

    def __init__(self) -> None:
        self.histories = self.events = self.cut = 0
        self.objects: Counter[str] = Counter()

    def add(self, history: History) -> None:
        """Count a history that is over."""
        self.histories += 1
        self.events += len(history.world.events)
        self.cut += sum(is_truncated(event["data"]["object"]) for event in history.world.events)
        self.objects.update(event["data"]["object"]["object"] for event in history.world.events)


def build_machine(bench: Bench, tally: Tally) -> type[RuleBasedStateMachine]:
    """A machine that lets things happen at Stripe and delivers what it tells of them."""

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.history = History(bench)

        @rule(data=st.data(), random=_RANDOMS)
        def move(self, data: st.DataObject, random: Random) -> None:
            names = self.history.possible_moves()
            self.history.move(data.draw(st.sampled_from(names)), random)

        @rule(random=_RANDOMS, count=st.integers(2, 8))
        def move_on(self, random: Random, count: int) -> None:
            for _ in range(count):
                self.history.move(random.choice(self.history.possible_moves()), random)

        @rule(seconds=_SECONDS)
        def wait(self, seconds: int) -> None:
            self.history.world.clock.advance(seconds)

        @rule(random=_RANDOMS, share=st.sampled_from([0.3, 0.7, 1.0]))
        def deliver(self, random: Random, share: float) -> None:
            self.history.deliver(random, share)

        def teardown(self) -> None:
            self.history.deliver_all(Random(len(self.history.world.events)))
            wrong = self.history.wrong_rows()
            assert not wrong, f"{wrong}\n{self.history.describe()}"
            assert not self.history.lost_events()
            tally.add(self.history)

    return Machine


@pytest.mark.filterwarnings("default::hypothesis.errors.HypothesisWarning")
def test_any_order_ends_in_the_same_rows(bench: Bench) -> None:
    """However events are shuffled, repeated and mixed with reads, every row is the oracle's."""
    tally, before = Tally(), len(bench.account.reads)

    run_state_machine_as_test(build_machine(bench, tally), settings=SETTINGS)

    reads = len(bench.account.reads) - before
    print(
        f"\n{tally.histories} histories, {tally.events} events, {reads} reads of Stripe"
        f" with {tally.cut} events of long lists"
        f" ({reads / tally.events:.2%}), {bench.deliverer.refused} deliveries put off",
        dict(bench.deliverer.outcomes),
        dict(tally.objects),
        file=sys.stderr,
    )
    # An event that shows only a part of a list can't be applied without reads: the object and the
    # rest of the list, at each delivery of the event.
    assert reads < tally.events / 5 + 4 * tally.cut


def test_the_oracle_agrees_with_delivery_in_order(bench: Bench) -> None:
    """One event after the other, each row ends as the oracle says."""
    history = _play(bench, Random(0))

    history.deliver_in_order()

    assert not history.wrong_rows()


@pytest.mark.parametrize("seed", range(2))
def test_every_kind_of_object_converges(bench: Bench, seed: int) -> None:
    """A history that touches every mirrored kind, delivered shuffled, ends in the oracle's rows."""
    history = _play(bench, Random(seed))
    shown = {event["data"]["object"]["object"] for event in history.world.events}
    assert shown >= BY_OBJECT.keys()

    history.deliver_all(Random(seed))

    assert not history.wrong_rows(), history.describe()
    assert not history.lost_events()


def _play(bench: Bench, random: Random) -> History:
    """Every move once, then again in any order, now and then a second later."""
    history = History(bench)
    for name in [*MOVES, *random.choices(MOVES, k=2 * len(MOVES))]:
        history.move(name, random)
        history.world.clock.advance(random.choice([0, 0, 0, 1, 3_700]))
    return history
