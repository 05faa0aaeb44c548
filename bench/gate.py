"""The cost of an API rule that requires an entitlement: list pages with and without it.

``python -m bench.gate [--json] [--rows N] [--buyers N]``

One PocketBase, no gateway. A user with `pro` and a user without it list a collection of 100,000
rows, with a rule that only requires a user and with rules that require `pro`; `entitlements` has
20,000 rows. Rounds alternate. Times are of the first page of 30 rows, as requested by the
JavaScript SDK.
"""

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from secrets import token_hex

import httpx

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.stack import Stack

IS_USER = '@request.auth.collectionName = "users"'
#: The rule of docs/entitlements.md.
HAS_PRO = (
    f"{IS_USER} && @collection.entitlements:pro.user ?= @request.auth.id"
    ' && @collection.entitlements:pro.feature ?= "pro"'
    " && @collection.entitlements:pro.active_until ?> @now"
)
#: The same condition through the back-relation of the signed-in user.
BACK_RELATION = (
    f"{IS_USER} && @request.auth.entitlements_via_user.feature ?= 'pro'"
    " && @request.auth.entitlements_via_user.active_until ?> @now"
)
RULES = {"any_user": IS_USER, "has_pro": HAS_PRO, "back_relation": BACK_RELATION}
QUERIES: dict[str, dict[str, str | int]] = {
    "skip_total": {"skipTotal": 1, "sort": "-rank"},
    "total": {"sort": "-rank"},
    "unsorted_total": {},
}
_FAR = "9999-12-31 23:59:59.999Z"
_ROUNDS = 15


def main() -> int:
    """Measure, and print one line per rule and query."""
    options = _parse_options()
    with tempfile.TemporaryDirectory() as folder:
        pocketbase = Stack(plan_throwaway(Path(folder))).pocketbase
        pocketbase.ensure_superuser()
        try:
            _start(pocketbase)
            buyer, other = _prepare(pocketbase)
            pocketbase.stop()
            _fill(pocketbase.data_dir / "data.db", buyer, options.rows, options.buyers)
            _start(pocketbase)
            found = _measure(pocketbase, {"buyer": buyer, "other": other})
        finally:
            pocketbase.stop()
    _print(found, as_json=options.json)
    return 0


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.gate", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the listed collection")
    parser.add_argument("--buyers", type=int, default=20_000, help="rows of entitlements")
    return parser.parse_args()


def _start(pocketbase: PocketBaseProcess) -> None:
    pocketbase.start()
    pocketbase.wait_healthy()


@contextmanager
def _open(pocketbase: PocketBaseProcess) -> Iterator[httpx.Client]:
    login = {"identity": pocketbase.superuser_email, "password": pocketbase.superuser_password}
    with httpx.Client(base_url=f"{pocketbase.url}/api", trust_env=False) as client:
        answer = client.post(
            "/collections/_superusers/auth-with-password", json=login
        ).raise_for_status()
        client.headers["Authorization"] = answer.json()["token"]
        yield client


def _prepare(pocketbase: PocketBaseProcess) -> list[str]:
    """Create the collections, one per rule, and two users; return the users' ids."""
    with _open(pocketbase) as client:
        for name, rule in RULES.items():
            body = {
                "name": f"articles_{name}",
                "type": "base",
                "listRule": rule,
                "fields": [{"name": "title", "type": "text"}, {"name": "rank", "type": "number"}],
                "indexes": [f"CREATE INDEX idx_{name} ON articles_{name} (rank)"],
            }
            client.post("/collections", json=body).raise_for_status()
        return [_sign_up(client, name) for name in ("buyer", "other")]


def _sign_up(client: httpx.Client, name: str) -> str:
    password = token_hex(8)
    made = {"email": f"{name}@example.com", "password": password, "passwordConfirm": password}
    answer = client.post("/collections/users/records", json=made).raise_for_status()
    return str(answer.json()["id"])


def _fill(database: Path, user: str, rows: int, buyers: int) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        for name in RULES:
            connection.executemany(
                f"INSERT INTO articles_{name} (id, title, rank) VALUES (?, ?, ?)",  # noqa: S608
                ((f"{place:015d}", f"Article {place}", place) for place in range(rows)),
            )
        connection.executemany(
            "INSERT INTO entitlements (id, user, feature, active, active_until)"
            " VALUES (?, ?, 'pro', TRUE, ?)",
            ((f"{n:015d}", user if n == 0 else f"user{n:011d}", _FAR) for n in range(buyers)),
        )


def _measure(pocketbase: PocketBaseProcess, users: dict[str, str]) -> dict[str, float]:
    """Return the median in milliseconds by user, rule and query."""
    times: dict[str, list[float]] = {}
    with _open(pocketbase) as client:
        tokens = {name: _impersonate(client, user) for name, user in users.items()}
        for _, user, rule, query in product(range(_ROUNDS), users, RULES, QUERIES):
            client.headers["Authorization"] = tokens[user]
            expected = 30 if user == "buyer" or rule == "any_user" else 0
            spent = _time(partial(_list, client, rule, QUERIES[query], expected))
            times.setdefault(f"{user}_{rule}_{query}", []).append(spent)
    return {name: round(statistics.median(spent), 2) for name, spent in times.items()}


def _impersonate(client: httpx.Client, user: str) -> str:
    path = f"/collections/users/impersonate/{user}"
    answer = client.post(path, json={"duration": 3600}).raise_for_status()
    return str(answer.json()["token"])


def _list(client: httpx.Client, rule: str, query: dict[str, str | int], expected: int) -> None:
    path = f"/collections/articles_{rule}/records"
    answer = client.get(path, params=query).raise_for_status()
    if len(answer.json()["items"]) != expected:
        raise SystemExit(f"the rule {rule} does not return {expected} records")


def _time(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def _print(found: dict[str, float], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({f"{name}_ms": spent for name, spent in found.items()}))
        return
    for name, spent in found.items():
        print(f"{name:36} {spent:9.2f} ms")


if __name__ == "__main__":
    sys.exit(main())
