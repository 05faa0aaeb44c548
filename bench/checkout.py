"""The time that POST /checkout adds to Stripe's, on one machine in one run.

``python -m bench.checkout [--json]``

(a) creates a Checkout Session at the simulator, with the gateway's request;
(b) creates the same at the gateway, for users with known Stripe customers;
(c) creates one record of 5 kB with PocketBase's REST API, with one client.

Rounds of a, b and c alternate. The added time is the p50 of b minus the p50 of the preceding a, as
the median over the rounds. ``added_creates_c1`` is the added time divided by the p50 of c, which
depends less on the machine. Subscriptions are measured with one client and only the first of each
user, because a repeated order returns the existing session.
"""

import argparse
import json
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import uvloop

from bench.wire import Load, connect, encode, run_load
from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack

CLIENTS = (1, 8, 32)
_USERS = 40
#: The lookup key of a one-time price that each user may buy, and begin to buy, again and again.
_SOLD_OFTEN = "sold_often"
_PAGE = {"success_url": "http://localhost:3000/a", "cancel_url": "http://localhost:3000/b"}
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Shopper:
    """A user with a Stripe customer."""

    id: str
    token: str
    customer: str


@dataclass(slots=True)
class Bench:
    """Both sides over one running stack."""

    stack: Stack
    shoppers: Sequence[Shopper]
    #: Price ids by lookup key.
    prices: dict[str, str]
    #: The request of (c).
    create: bytes
    rounds: dict[tuple[str, int], list[Load]] = field(default_factory=dict)

    async def run(self, side: str, clients: int, seconds: float) -> None:
        """Run one side once and store the result."""
        ports = self.stack.plan.ports
        turns = cycle(self.shoppers)
        asks: dict[str, tuple[int, Callable[[], bytes]]] = {
            "a": (ports.simulator, lambda: self.ask_stripe(next(turns), _SOLD_OFTEN)),
            "b": (ports.gateway, lambda: order(next(turns), _SOLD_OFTEN)),
            "c": (ports.pocketbase, lambda: self.create),
        }
        port, ask = asks[side]
        load = await run_load(port, clients, seconds, ask)
        self.rounds.setdefault((side, clients), []).append(load)

    def ask_stripe(self, shopper: Shopper, name: str) -> bytes:
        """Return the request that the gateway would send for an order."""
        mode, copies = (
            ("payment", "payment_intent_data")
            if name == _SOLD_OFTEN
            else ("subscription", "subscription_data")
        )
        fields = {
            "mode": mode,
            "ui_mode": "hosted_page",
            "customer": shopper.customer,
            "client_reference_id": shopper.id,
            "metadata[pocketbase_user]": shopper.id,
            f"{copies}[metadata][pocketbase_user]": shopper.id,
            "line_items[0][price]": self.prices[name],
            "line_items[0][quantity]": 1,
            **_PAGE,
        }
        headers = [
            ("Authorization", f"Bearer {self.stack.plan.stripe.secret_key}"),
            ("Idempotency-Key", secrets.token_hex(16)),
        ]
        path = "/v1/checkout/sessions"
        return encode("POST", path, urlencode(fields).encode(), headers, kind=_FORM)

    def added(self, clients: int, share: float) -> float:
        """Return by how many milliseconds b is slower than a, as the median over the rounds."""
        pairs = zip(self.rounds["b", clients], self.rounds["a", clients], strict=True)
        return statistics.median(b.percentile(share) - a.percentile(share) for b, a in pairs)

    def added_creates(self) -> float:
        """Return the added time with one client, divided by the time of a create in PocketBase."""
        create = statistics.median(load.percentile(0.5) for load in self.rounds["c", 1])
        return self.added(1, 0.5) / create

    async def added_to_subscriptions(self) -> float:
        """Return the milliseconds added to the p50 of each shopper's first subscription."""
        ports = self.stack.plan.ports
        times: dict[str, list[float]] = {"a": [], "b": []}
        async with connect(ports.simulator) as stripe, connect(ports.gateway) as gateway:
            for shopper in self.shoppers:
                asked = self.ask_stripe(shopper, "pro_monthly")
                for side, connection, request in (
                    ("a", stripe, asked),
                    ("b", gateway, order(shopper, "pro_monthly")),
                ):
                    started = time.perf_counter()
                    status, body = await connection.send(request)
                    times[side].append(time.perf_counter() - started)
                    assert status == 200, body
        return (statistics.median(times["b"]) - statistics.median(times["a"])) * 1000


def order(shopper: Shopper, name: str) -> bytes:
    """Return a request for /checkout."""
    body = {"items": [{"price": name}], **_PAGE}
    headers = [("Authorization", f"Bearer {shopper.token}")]
    return encode("POST", "/checkout", json.dumps(body).encode(), headers)


async def measure(stack: Stack, rounds: int, seconds: float) -> dict[str, Any]:
    """Run all rounds."""
    bench = await prepare(stack)
    subscriptions = await bench.added_to_subscriptions()
    for side in "abc":
        await bench.run(side, 8, 1.0)
    bench.rounds.clear()
    for clients in CLIENTS:
        for _ in range(rounds):
            for side in "abc" if clients == 1 else "ab":
                await bench.run(side, clients, seconds)
    _print_table(bench)
    refused = sum(load.refused for each in bench.rounds.values() for load in each)
    return {
        **{f"added_p50_ms_c{clients}": round(bench.added(clients, 0.5), 2) for clients in CLIENTS},
        "added_creates_c1": round(bench.added_creates(), 2),
        "added_p99_ms_c1": round(bench.added(1, 0.99), 2),
        "added_p50_ms_c1_subscription": round(subscriptions, 2),
        "refused": refused,
    }


def _print_table(bench: Bench) -> None:
    print("side clients   rate/s  p50 ms  p99 ms")
    for (side, clients), loads in bench.rounds.items():
        rate = statistics.median(load.rate for load in loads)
        p50, p99 = (
            statistics.median(load.percentile(share) for load in loads) for share in (0.5, 0.99)
        )
        print(f"{side:>4} {clients:7} {rate:8.0f} {p50:7.2f} {p99:7.2f}")


async def prepare(stack: Stack) -> Bench:
    """Sign up the shoppers; each begins a purchase, so that their customers exist."""
    simulator, key = stack.simulator.url, stack.plan.stripe.secret_key
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        await client.get(f"{simulator}/_simulator/deliveries?wait=30&limit=0")
        await _offer(client, simulator, key)
        listed = await client.get(f"{simulator}/v1/prices", auth=(key, ""))
        prices = {each["lookup_key"]: each["id"] for each in listed.json()["data"]}
        shoppers = [await _sign_up(stack, client) for _ in range(_USERS)]
        await client.get(f"{simulator}/_simulator/deliveries?wait=30&limit=0")
        create = await _prepare_creates(stack, client)
    return Bench(stack, shoppers, prices, create)


async def _prepare_creates(stack: Stack, client: httpx.AsyncClient) -> bytes:
    """Create a collection, and return the request that creates one record in it."""
    part = stack.pocketbase
    login = {"identity": part.superuser_email, "password": part.superuser_password}
    path = f"{part.url}/api/collections/_superusers/auth-with-password"
    token = (await client.post(path, json=login)).json()["token"]
    fields = [{"name": "kind", "type": "text"}, {"name": "payload", "type": "json"}]
    collection = {"name": "bench_creates", "type": "base", "fields": fields}
    headers = {"Authorization": token}
    made = await client.post(f"{part.url}/api/collections", json=collection, headers=headers)
    made.raise_for_status()
    record = {"kind": "event", "payload": {f"field_{place}": "x" * 40 for place in range(90)}}
    path = "/api/collections/bench_creates/records"
    return encode("POST", path, json.dumps(record).encode(), [("Authorization", token)])


async def _offer(client: httpx.AsyncClient, simulator: str, key: str) -> None:
    product = await client.post(f"{simulator}/v1/products", data={"name": "Coffee"}, auth=(key, ""))
    price = {
        "product": product.json()["id"],
        "currency": "usd",
        "unit_amount": "500",
        "lookup_key": _SOLD_OFTEN,
    }
    (await client.post(f"{simulator}/v1/prices", data=price, auth=(key, ""))).raise_for_status()
    await client.get(f"{simulator}/_simulator/deliveries?wait=30&limit=0")


async def _sign_up(stack: Stack, client: httpx.AsyncClient) -> Shopper:
    users = f"{stack.pocketbase.url}/api/collections/users"
    email, password = f"{secrets.token_hex(6)}@example.com", secrets.token_hex(8)
    new = {"email": email, "password": password, "passwordConfirm": password}
    (await client.post(f"{users}/records", json=new)).raise_for_status()
    login = {"identity": email, "password": password}
    answer = (await client.post(f"{users}/auth-with-password", json=login)).json()
    bearer = {"Authorization": f"Bearer {answer['token']}"}
    body = {"items": [{"price": _SOLD_OFTEN}], **_PAGE}
    made = await client.post(f"{stack.gateway.url}/checkout", json=body, headers=bearer)
    made.raise_for_status()
    rows = await client.get(
        f"{stack.pocketbase.url}/api/collections/customers/records",
        headers={"Authorization": answer["token"]},
    )
    [row] = rows.json()["items"]
    return Shopper(answer["record"]["id"], answer["token"], row["stripe_id"])


def main() -> None:
    """Parse the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each run lasts")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Stack(plan_throwaway(Path(folder))) as stack:
        result = uvloop.run(measure(stack, options.rounds, options.seconds))
    print(f"took {time.monotonic() - started:.0f} s", file=sys.stderr)
    print(json.dumps(result) if options.json else result)


if __name__ == "__main__":
    main()
