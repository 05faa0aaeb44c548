"""One history: steps at Stripe, deliveries to the gateway, and the expected rows."""

import json
from contextlib import suppress
from random import Random
from typing import Any

from stripe_simulator import histories
from stripe_simulator.errors import StripeError
from tests.convergence import purchases
from tests.convergence.bench import Bench
from tests.convergence.expected_rows import ExpectedRows
from tests.convergence.mirror import differences

Json = dict[str, Any]

#: Changes at Stripe without an event: a read shows them, the last event does not.
UNANNOUNCED = {
    "coupons": {"times_redeemed", "valid"},
    "promotion_codes": {"times_redeemed", "active"},
    "checkout_sessions": {"metadata"},
    "payments": {"amount", "description", "metadata"},
    "charges": {"amount_refunded", "refunded"},
    "setup_intents": {"metadata"},
}
MOVES = sorted({*histories.MOVES, *purchases.MOVES})


class History:
    """A fresh Stripe account, an organization, and three users, two with a verified address."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.world = bench.account.begin()
        self.users = [self._add_user(number, verified=number < 2) for number in range(3)]
        self.organization = bench.mirror.add_organization()
        self._pending: list[Json] = []
        self._sent: list[Json] = []
        self._taken = 0
        histories.opening(self.world, Random(0))

    def _add_user(self, number: int, *, verified: bool) -> tuple[str, str]:
        email = f"{number}.{self.world.ids.account.lower()}@example.com"
        return self.bench.mirror.add_user(email, verified=verified), email

    def possible_moves(self) -> list[str]:
        """The steps that are possible at Stripe now."""
        return sorted({*histories.transitions(self.world, Random(0)), *purchases.MOVES})

    def move(self, name: str, random: Random) -> None:
        """Let something happen at Stripe, if it can happen now."""
        if name in purchases.MOVES:
            people = purchases.People(self.users, self.organization)
            purchases.move(self.world, random, people, name)
            return
        possible = histories.transitions(self.world, random)
        with suppress(StripeError):
            possible.get(name, lambda: None)()

    def deliver(self, random: Random, share: float = 1.0) -> None:
        """Deliver part of what has happened and some of it again, shuffled, many at a time."""
        self._pending += self.world.events[self._taken :]
        self._taken = len(self.world.events)
        now = [event for event in self._pending if random.random() < share]
        ids = {event["id"] for event in now}
        self._pending = [event for event in self._pending if event["id"] not in ids]
        self._sent += now
        again = random.choices(self._sent, k=len(now) // 4) if self._sent else []
        foreign = [_connect(event) for event in random.sample(now, len(now) // 10)]
        batch = [*now, *again, *foreign]
        random.shuffle(batch)
        self.bench.loop.run(self.bench.deliverer.deliver(batch))

    def deliver_all(self, random: Random) -> None:
        """Deliver everything; what falls due at Stripe meanwhile as well."""
        while self._pending or self._taken < len(self.world.events):
            self.deliver(random)

    def deliver_in_order(self) -> None:
        """Deliver one event after the other."""
        for event in self.world.events:
            self.bench.loop.run(self.bench.deliverer.deliver([event]))

    def wrong_rows(self) -> dict[str, Json]:
        """Return every row that differs from the oracle's, with the columns that do."""
        self.bench.mirror.wait_followed_up()
        verified = dict(self.users[:2])
        users = {user: verified.get(user, "") for user, _ in self.users}
        expected = ExpectedRows.of(self.world.events, users, [self.organization], self.world).rows
        wrong: dict[str, Json] = {}
        for collection in {kind for kind, _ in expected}:
            wanted = {found: row for (kind, found), row in expected.items() if kind == collection}
            rows = self.bench.mirror.read(collection, list(wanted))
            for stripe_id, row in wanted.items():
                found = differences(row, rows.get(stripe_id))
                if _is_read(rows.get(stripe_id)):
                    # It may show what Stripe sends no event for.
                    found.pop("stripe_object", None)
                    for name in UNANNOUNCED.get(collection, ()):
                        found.pop(name, None)
                if found:
                    version = (rows.get(stripe_id) or {}).get("version")
                    wrong[f"{collection} {stripe_id} {version}"] = found
        return wrong | self.wrong_entitlements()

    def wrong_entitlements(self) -> dict[str, Json]:
        """Return what each payer's entitlements should be, and are, where these differ."""
        wrong: dict[str, Json] = {}
        payers = [("user", user) for user, _ in self.users]
        for column, payer in [*payers, ("organization", self.organization)]:
            expected = self.bench.mirror.entitle(column, payer)
            rows = self.bench.mirror.find("entitlements", column, payer)
            found = {row["feature"]: row for row in rows}
            for feature in expected.keys() | found.keys():
                row = differences(expected.get(feature, {"active": "no row"}), found.get(feature))
                if row:
                    wrong[f"entitlement {payer} {feature}"] = row
        return wrong

    def lost_events(self) -> set[str]:
        """Return the ids of events that are not stored."""
        ids = {event["id"] for event in self.world.events}
        return ids - self.bench.mirror.read("stripe_events", list(ids)).keys()

    def describe(self) -> str:
        """The history, a line an event."""
        return "\n".join(
            f"{event['created']} {event['id']} {event['type']}"
            f" {event['data']['object'].get('id')}"
            f" {json.dumps(event['data'].get('previous_attributes'))[:200]}"
            for event in self.world.events
        )


def _connect(event: Json) -> Json:
    """The same of a connected account, where the object is called something else."""
    item = event["data"]["object"] | {"name": "foreign", "status": "foreign", "metadata": {}}
    previous = event["data"].get("previous_attributes")
    data = {"object": item} | ({"previous_attributes": previous} if previous else {})
    return event | {"id": f"{event['id']}c", "account": "acct_1", "data": data}


def _is_read(row: Json | None) -> bool:
    return row is not None and '"read_' in row["version"]
