"""A simulated Stripe account with very many objects: deliveries of its changes, and its state."""

import asyncio
import json
import sqlite3
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.events import encode_delivery
from bench.wire import Connection, connect
from gateway.ids import record_id
from gateway.mirror.redaction import redact

#: Collections of the account's objects, by the paths of their lists.
LISTS = {
    "products": "products?limit=100",
    "prices": "prices?limit=100",
    "customers": "customers?limit=100",
    "subscriptions": "subscriptions?status=all&limit=100",
    "invoices": "invoices?limit=100",
    "charges": "charges?limit=100",
    "payments": "payment_intents?limit=100",
    "invoice_payments": "invoice_payments?limit=100",
    "payment_methods": "payment_methods?limit=100",
    "stripe_objects": "balance_transactions?limit=100",
}
#: Seconds of changes that are made at once.
_AHEAD_SECONDS = 0.5
_CONNECTIONS = 16
#: Fields that Stripe shows only when asked.
_ASKED = frozenset({"tiers", "currency_options", "line_items", "payments"})


@dataclass(slots=True)
class Account:
    """The account at a simulator."""

    url: str
    key: str

    def control(self, path: str, body: Any) -> Any:
        """Call the simulator's control API."""
        answer = httpx.post(f"{self.url}/_simulator/{path}", json=body, trust_env=False, timeout=60)
        return answer.raise_for_status().json()

    def count_requests(self) -> dict[str, int]:
        """Return the numbers of API requests so far, by method, and of those refused with 429."""
        state = httpx.get(f"{self.url}/_simulator/state", trust_env=False, timeout=60).json()
        return dict(state["requests"])

    def compare(self, database: Path, collections: set[str]) -> dict[str, int]:
        """Compare every object with its row; return the numbers that are compared, and wrong."""
        compared = wrong = 0
        with closing(sqlite3.connect(database, timeout=60)) as rows, self._client() as client:
            for collection, path in LISTS.items():
                if collection not in collections:
                    continue
                for page in _read_pages(client, path):
                    compared += len(page)
                    wrong += sum(not _is_equal(rows, collection, item) for item in page)
        return {"compared_rows": compared, "wrong_rows": wrong}

    def count_events(self) -> int:
        """Return the number of the account's events."""
        state = httpx.get(f"{self.url}/_simulator/state", trust_env=False, timeout=60).json()
        return int(state["events"])

    def _client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(
            base_url=f"{self.url}/v1/", headers=headers, trust_env=False, timeout=60
        )


def count_rows(database: Path, collections: Iterable[str]) -> int:
    """Return the number of rows of some collections."""
    with closing(sqlite3.connect(database, timeout=60)) as rows:
        queries = (f"SELECT count(*) FROM {name}" for name in collections)  # noqa: S608 - our own
        return sum(rows.execute(query).fetchone()[0] for query in queries)


def _read_pages(client: httpx.Client, path: str) -> Iterator[list[dict[str, Any]]]:
    after = ""
    while True:
        page = client.get(path + (f"&starting_after={after}" if after else "")).json()
        yield page["data"]
        if not page["has_more"]:
            return
        after = page["data"][-1]["id"]


def _is_equal(rows: sqlite3.Connection, collection: str, item: dict[str, Any]) -> bool:
    query = f"SELECT stripe_object FROM {collection} WHERE id = ?"  # noqa: S608 - our own names
    found = rows.execute(query, [record_id(item["id"])]).fetchone()
    stored = json.loads(found[0]) if found and found[0] else None
    return isinstance(stored, dict) and _without(stored) == _without(redact(item))


def _without(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in _ASKED}


@dataclass(slots=True)
class Deliveries:
    """Delivers changes of the account's subscriptions at an even rate, while it runs."""

    account: Account
    port: int
    secret: str
    per_second: float
    #: Time of the due, and seconds until the answer.
    latencies: list[tuple[float, float]] = field(default_factory=list)
    refused: int = 0
    #: Set to end after the events that are ready: each change must be delivered.
    is_ending: bool = False
    _ready: "deque[bytes]" = field(default_factory=deque)

    async def run(self) -> None:
        """Deliver until `is_ending` is set and every event is delivered."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._change())
            for place in range(_CONNECTIONS):
                group.create_task(self._deliver(place))

    async def _change(self) -> None:
        number = max(1, round(self.per_second * _AHEAD_SECONDS))
        async with httpx.AsyncClient(base_url=self.account.url, trust_env=False) as client:
            while not self.is_ending:
                started = time.monotonic()
                if len(self._ready) < 2 * number:
                    path, body = "/_simulator/large_account/change", {"number": number}
                    answer = await client.post(path, json=body, timeout=60)
                    self._ready += (json.dumps(each).encode() for each in answer.json())
                await asyncio.sleep(max(0.0, started + number / self.per_second - time.monotonic()))

    async def _deliver(self, place: int) -> None:
        """Deliver one of `_CONNECTIONS` shares; a late delivery counts from when it was due."""
        interval = _CONNECTIONS / self.per_second
        due = time.monotonic() + interval * (1 + place / _CONNECTIONS)
        async with connect(self.port) as connection:
            while self._ready or not self.is_ending:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if self._ready:
                    await self._send(connection, max(due, time.monotonic() - interval))
                due = max(due + interval, time.monotonic() - 1)

    async def _send(self, connection: Connection, due: float) -> None:
        request = encode_delivery(self._ready.popleft(), self.secret)
        status, _ = await connection.send(request)
        self.latencies.append((due, time.monotonic() - due))
        self.refused += status >= 300

    def percentile(self, share: float, since: float, until: float) -> float:
        """Return a percentile in milliseconds of the deliveries that were due in a span."""
        found = sorted(took for due, took in self.latencies if since <= due < until)
        return found[int((len(found) - 1) * share)] * 1000 if found else 0.0
