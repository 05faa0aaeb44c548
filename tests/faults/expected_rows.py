"""Expected rows after a history, whatever the order of delivery."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.mirror.event_change import decide, project
from gateway.rows import Row
from gateway.stripe_api.event import parse
from tests.dashboard import Dashboard

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ExpectedRows:
    """The rows that the in-order history gives."""

    rows: Mapping[Key, Row]
    #: The same objects as Stripe has them now: some of their fields change without an event, and
    #: show in a row that was read.
    now: Mapping[Key, Row]

    async def find_wrong(self, dashboard: Dashboard) -> list[str]:
        """Compare every mirror collection; return what differs, in words."""
        wrong = []
        for collection in sorted({collection for collection, _ in self.rows}):
            stored = {row["stripe_id"]: row for row in await dashboard.list(collection)}
            expected = {key[1]: row for key, row in self.rows.items() if key[0] == collection}
            wrong += [f"{collection}/{each} is missing" for each in expected.keys() - stored.keys()]
            wrong += [f"{collection}/{each} is extra" for each in stored.keys() - expected.keys()]
            for stripe_id in expected.keys() & stored.keys():
                wrong += self._compare(collection, stripe_id, stored[stripe_id])
        return wrong

    def _compare(self, collection: str, stripe_id: str, record: Mapping[str, Any]) -> list[str]:
        key = (collection, stripe_id)
        accepted = [self.rows[key].values]
        if json.loads(record["version"])[4].startswith("read_") and key in self.now:
            accepted.append(self.now[key].values)
        differences = [_differ(values, record) for values in accepted]
        return [] if not all(differences) else [f"{collection}/{stripe_id}: {differences[0]}"]

    async def find_wrong_owners(self, dashboard: Dashboard, users: Mapping[str, str]) -> list[str]:
        """Check that each row of a customer is its user's: the one with the same address."""
        owner = {
            row["id"]: users.get(row["email"], "") for row in await dashboard.list("customers")
        }
        wrong = []
        for collection in sorted({name for name, _ in self.rows}):
            for row in await dashboard.list(collection):
                if "user" not in row or collection == "customers":
                    continue
                expected = owner.get(row["customer"], "")
                if row["user"] != expected:
                    wrong.append(f"{collection}/{row['stripe_id']}: {row['user']}, not {expected}")
        return wrong


def _differ(values: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: (value, record[name])
        for name, value in values.items()
        # A row finds its customer through its parent where Stripe's object names none.
        if record[name] != value and not (name == "customer" and not value)
    }


def keep_expected_rows(
    events: Iterable[Mapping[str, Any]], objects: Iterable[Mapping[str, Any]]
) -> ExpectedRows:
    """Project the last event of each object of a history, and the objects as they are now."""
    rows: dict[Key, Row] = {}
    for event in events:
        state = decide(parse(json.dumps(event))).state
        if state:
            rows[state.row.key] = state.row
    now = {}
    for item in objects:
        row = project(dict(item)).row
        now[row.key] = row
    return ExpectedRows(rows, now)
