"""The simulated Stripe account: every object, every event, one clock, no I/O."""

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from stripe_simulator.agenda import ACTIONS
from stripe_simulator.clock import Clock
from stripe_simulator.copies import Copies
from stripe_simulator.errors import missing_object
from stripe_simulator.ids import Ids
from stripe_simulator.settings import API_VERSION, Settings
from stripe_simulator.snapshots import JSON, previous_attributes, show, snapshot

#: 2026-11-01 00:00 UTC, the default start of a world's clock.
BEGINNING = 1_793_491_200

#: Names of objects in Stripe's message "No such …" that differ from the type.
NOUNS = {
    "checkout.session": "checkout.session",
    "payment_method": "PaymentMethod",
    "promotion_code": "promotion code",
    "webhook_endpoint": "webhook endpoint",
    "subscription_schedule": "subscription schedule",
}


class World:
    """Objects as plain JSON dicts by their `object` name and id, and the history of events.

    The same seed, start and calls give the same ids and events.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        now: int = BEGINNING,
        settings: Settings | None = None,
        time_source: Callable[[], float] | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.time_source = time_source
        self.listeners: list[Callable[[JSON], None]] = []
        self.reset(seed, now)

    def reset(self, seed: int = 0, now: int | None = None) -> None:
        """Begin afresh with nothing; settings and listeners stay."""
        begin = now if now is not None else int((self.time_source or (lambda: BEGINNING))())
        self.ids = Ids(seed)
        self.clock = Clock(begin, self._fire, self.time_source)
        self.objects: dict[str, MutableMapping[str, JSON]] = {}
        #: Facts that Stripe keeps but shows in no object, by name and then by id.
        self.side: dict[str, dict[str, Any]] = {}
        self.events: list[JSON] = []
        self.events_by_id: dict[str, JSON] = {}
        #: Events of copies (`large_account`), which are older than `events`.
        self.past_events: Copies | None = None
        #: Deliveries to make: (event id, webhook endpoint id).
        self.outbox: list[tuple[str, str]] = []
        #: The API request that events are the result of; none when the clock caused them.
        self.request: JSON = {"id": None, "idempotency_key": None}
        #: The connected account that events happen on, if any.
        self.connected_account: str | None = None

    @property
    def now(self) -> int:
        """The simulated time in whole seconds."""
        return self.clock.now

    def all(self, kind: str) -> MutableMapping[str, JSON]:
        """Every object of a kind by id, oldest first."""
        return self.objects.setdefault(kind, {})

    def of_customer(self, kind: str, customer: str) -> list[JSON]:
        """Return the objects of a kind that name a customer, oldest first."""
        found = self.all(kind)
        near = found.near(customer) if isinstance(found, Copies) else found.values()
        return [obj for obj in near if obj["customer"] == customer]

    def facts(self, name: str) -> dict[str, Any]:
        """Facts kept beside the objects."""
        return self.side.setdefault(name, {})

    def add(self, obj: JSON) -> JSON:
        """Keep a new object."""
        self.all(obj["object"])[obj["id"]] = obj
        return obj

    def remove(self, obj: JSON) -> JSON:
        """Forget an object; returns Stripe's answer to a deletion."""
        del self.all(obj["object"])[obj["id"]]
        self.facts("deleted")[obj["id"]] = {"id": obj["id"], "object": obj["object"]}
        return {"id": obj["id"], "object": obj["object"], "deleted": True}

    def find(self, kind: str, id: str | None) -> JSON | None:
        """Return an object or None."""
        return self.all(kind).get(id) if id else None

    def get(self, kind: str, id: str, param: str = "id") -> JSON:
        """Return an object or raise Stripe's resource_missing."""
        found = self.all(kind).get(id)
        if found is None:
            noun = NOUNS.get(kind, kind.rpartition(".")[2])
            raise missing_object(noun, id, param, 404 if param == "id" else 400)
        return found

    def record(self, type: str, obj: JSON, previous: JSON | None = None) -> JSON:
        """Add an event with a full snapshot of the object as it is now."""
        now = self.now
        data: JSON = {"object": snapshot(show(obj))}
        if previous is not None:
            data["previous_attributes"] = previous
        event: JSON = {
            "id": self.ids.timed("evt", now),
            "object": "event",
            "api_version": API_VERSION,
            "created": now,
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": dict(self.request),
            "type": type,
        }
        if self.connected_account:
            event["account"] = self.connected_account
        self._publish(event)
        return event

    @contextmanager
    def change(self, obj: JSON, event: str) -> Iterator[JSON]:
        """Change an object inside the block; an event shows the replaced values, if any."""
        before = snapshot(obj)
        try:
            yield obj
        except BaseException:
            obj.clear()
            obj.update(before)
            raise
        if previous_attributes(before, obj):
            self.record(event, obj, previous_attributes(show(before), show(obj)))

    def _publish(self, event: JSON) -> None:
        self.events.append(event)
        self.events_by_id[event["id"]] = event
        for endpoint in self.all("webhook_endpoint").values():
            if self._wants(endpoint, event):
                event["pending_webhooks"] += 1
                self.outbox.append((event["id"], endpoint["id"]))
        for listener in self.listeners:
            listener(event)

    def _wants(self, endpoint: JSON, event: JSON) -> bool:
        """Whether an endpoint asked for an event; those of connected accounts go to Connect's."""
        connect = bool(self.facts("endpoint").get(endpoint["id"], {}).get("connect"))
        if endpoint["status"] != "enabled" or connect != ("account" in event):
            return False
        return "*" in endpoint["enabled_events"] or event["type"] in endpoint["enabled_events"]

    def _fire(self, action: str, id: str) -> None:
        caused_by, self.request = self.request, {"id": None, "idempotency_key": None}
        try:
            ACTIONS[action](self, id)
        finally:
            self.request = caused_by
