"""The courier takes deliveries from a world's outbox to the webhook endpoints."""

import asyncio
import logging
import random
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field

from stripe_simulator.deliveries.post import Poster
from stripe_simulator.deliveries.signature import header
from stripe_simulator.deliveries.switches import Switches
from stripe_simulator.http.messages import write
from stripe_simulator.resources.events import thin
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Delivery:
    """One attempt to bring an event to an endpoint."""

    event: str
    endpoint: str
    attempt: int = 1
    #: A copy made by the duplicate switch: it is never retried and settles nothing.
    copy: bool = False


@dataclass(slots=True)
class Deliverer:
    """Delivers the events of one world until its task is cancelled."""

    world: World
    poster: Poster
    switches: Switches = field(default_factory=Switches)
    #: Attempts, newest last.
    log: deque[JSON] = field(default_factory=lambda: deque(maxlen=100_000))
    counts: Counter[str] = field(default_factory=Counter)
    #: Set when there may be something to start.
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    #: Events that no endpoint has accepted yet, with the number of their deliveries under way.
    owed: Counter[tuple[str, str]] = field(default_factory=Counter)
    under_way: set[asyncio.Task[None]] = field(default_factory=set)
    waiting: set[asyncio.TimerHandle] = field(default_factory=set)
    _settled: asyncio.Event = field(default_factory=asyncio.Event)
    _random: random.Random = field(default_factory=lambda: random.Random(0))
    _queue: deque[Delivery] = field(default_factory=deque)

    async def run(self) -> None:
        """Deliver for ever."""
        try:
            while True:
                self._collect()
                self._start()
                self.moved.clear()
                await self.moved.wait()
        finally:
            self.forget()

    def wake(self) -> None:
        """Look at the outbox."""
        self.moved.set()

    @property
    def idle(self) -> bool:
        """Whether nothing is queued, under way or waiting for a retry."""
        return not (self.world.outbox or self._queue or self.under_way or self.waiting)

    async def wait_until_idle(self, seconds: float) -> bool:
        """Wait until everything is delivered; returns whether it is."""
        deadline = time.monotonic() + seconds
        while not self.idle and (left := deadline - time.monotonic()) > 0:
            self._settled.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), left)
        return self.idle

    def change(self, given: JSON) -> None:
        """Change the switches; a seed starts their random choices afresh."""
        self.switches.change(given)
        if "seed" in given:
            self._random = random.Random(self.switches.seed)
        self.wake()

    def redeliver(self, event: str, endpoints: list[str], times: int = 1) -> None:
        """Deliver an event again."""
        self.world.outbox += [(event, endpoint) for endpoint in endpoints] * times
        self.wake()

    def forget(self) -> None:
        """Drop everything that is queued, under way or waiting."""
        for timer in self.waiting:
            timer.cancel()
        for task in self.under_way:
            task.cancel()
        self.poster.close()
        self.waiting.clear()
        self._queue.clear()
        self.owed.clear()

    def _collect(self) -> None:
        taken, self.world.outbox = self.world.outbox, []
        for event, endpoint in taken:
            self.owed[event, endpoint] += 1
            self._queue.append(Delivery(event, endpoint))
            if self._happens(self.switches.duplicate):
                self._queue.append(Delivery(event, endpoint, copy=True))

    def _next(self) -> Delivery:
        """Take the oldest delivery, or any of the oldest `shuffle`."""
        window = min(self.switches.shuffle, len(self._queue))
        position = self._random.randrange(window) if window > 1 else 0
        delivery = self._queue[position]
        del self._queue[position]
        return delivery

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability

    def _start(self) -> None:
        while self._queue and not self.switches.paused:
            if len(self.under_way) >= self.switches.concurrency:
                return
            task = asyncio.create_task(self._deliver(self._next()))
            self.under_way.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.under_way.discard(task)
        self._settled.set()
        if not task.cancelled() and task.exception():
            log.error("delivery failed in the simulator", exc_info=task.exception())
        self.wake()

    async def _deliver(self, delivery: Delivery) -> None:
        event = self.world.events_by_id.get(delivery.event)
        endpoint = self.world.find("webhook_endpoint", delivery.endpoint)
        if event is None or endpoint is None:
            self._forget_debt(delivery)
            return
        if self.switches.delay:
            await asyncio.sleep(self._random.random() * self.switches.delay)
        lost = self._happens(self.switches.fail)
        status = None if lost else await self._post(event, endpoint)
        if status is not None and self._happens(self.switches.lose_answer):
            status = None
        self._note(delivery, event, status)
        self._settle(delivery, event, status is not None and 200 <= status < 300)

    async def _post(self, event: JSON, endpoint: JSON) -> int | None:
        facts = self.world.facts("endpoint")[endpoint["id"]]
        payload = write(thin(event) if facts["thin"] else event)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": header(payload, facts["secret"], int(time.time())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        with suppress(OSError, TimeoutError):
            return await self.poster.post(endpoint["url"], payload, headers, self.switches.timeout)
        return None

    def _note(self, delivery: Delivery, event: JSON, status: int | None) -> None:
        self.counts["attempts"] += 1
        self.log.append(
            {
                "event": delivery.event,
                "type": event["type"],
                "endpoint": delivery.endpoint,
                "attempt": delivery.attempt,
                "duplicate": delivery.copy,
                "status_code": status,
                "at": time.time(),
            }
        )

    def _settle(self, delivery: Delivery, event: JSON, delivered: bool) -> None:
        if delivered:
            self.counts["delivered"] += 1
            if not delivery.copy:
                event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
                self._forget_debt(delivery)
            return
        self.counts["failed"] += 1
        if delivery.copy:
            return
        if delivery.attempt < self.switches.most_attempts:
            self._retry_later(delivery)
        else:
            self._forget_debt(delivery)

    def _forget_debt(self, delivery: Delivery) -> None:
        key = (delivery.event, delivery.endpoint)
        self.owed[key] -= 1
        if self.owed[key] <= 0:
            del self.owed[key]

    def _retry_later(self, delivery: Delivery) -> None:
        wait = self.switches.retry_first * 2 ** (delivery.attempt - 1)
        again = Delivery(delivery.event, delivery.endpoint, delivery.attempt + 1)

        def put_back() -> None:
            self.waiting.discard(timer)
            self._queue.append(again)
            self.wake()

        loop = asyncio.get_running_loop()
        timer = loop.call_later(min(wait, self.switches.retry_ceiling), put_back)
        self.waiting.add(timer)
