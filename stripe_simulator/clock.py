"""The simulated clock and the agenda of things that fall due on it."""

import heapq
from collections.abc import Callable

Entry = tuple[int, int, str, str]
Fire = Callable[[str, str], None]


class Clock:
    """Whole seconds since 1970; does not run unless a source of time is given.

    Moving it forward fires what is due, in order, each at its own time.
    """

    #: Bound on one move, so that a mistake in a rule cannot loop for ever.
    MOST_FIRED = 1_000_000

    def __init__(self, now: int, fire: Fire, source: Callable[[], float] | None = None) -> None:
        self.source = source
        self.fire = fire
        self.agenda: list[Entry] = []
        self._count = 0
        self._standing: int | None = None
        self._shift = now - source() if source else float(now)

    @property
    def now(self) -> int:
        """The simulated time in whole seconds."""
        if self._standing is not None:
            return self._standing
        return int(self._shift + (self.source() if self.source else 0))

    def at(self, when: int, action: str, id: str) -> None:
        """Put an action on an object on the agenda."""
        self._count += 1
        heapq.heappush(self.agenda, (when, self._count, action, id))

    def advance(self, seconds: int) -> None:
        """Move forward and fire what falls due on the way."""
        self._fire_until(self.now + seconds)
        self._shift += seconds

    def advance_to(self, when: int) -> None:
        """Move forward to a time; a time that is past changes nothing."""
        self.advance(max(0, when - self.now))

    def resume(self, now: int) -> None:
        """Go on from a time that was kept, after everything on the agenda was put back."""
        self._count = max((entry[1] for entry in self.agenda), default=0)
        heapq.heapify(self.agenda)
        self._shift += now - self.now

    def catch_up(self) -> None:
        """After a pause, move to real time if that has gone on further; fire what fell due."""
        if self.source is not None:
            self.advance_to(int(self.source()))

    def tick(self) -> None:
        """Fire what has fallen due because real time went on."""
        self._fire_until(self.now)

    def _fire_until(self, target: int) -> None:
        if self._standing is not None:
            return
        for _ in range(self.MOST_FIRED):
            if not self.agenda or self.agenda[0][0] > target:
                return
            when, _, action, id = heapq.heappop(self.agenda)
            self._standing = max(when, self.now)
            try:
                self.fire(action, id)
            finally:
                self._standing = None
        raise RuntimeError("the agenda never ends: a rule puts itself back without moving on")
