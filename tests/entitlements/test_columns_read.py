"""The registry lists exactly the columns that computing entitlements reads."""

import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import closing
from pathlib import Path
from secrets import token_hex

import pytest_asyncio

from gateway.dev.stack import Stack
from gateway.mirror.registry import REGISTRY
from tests.entitlements.billing import Billing
from tests.entitlements.purchases import Purchases, open_purchases

_LISTED = {(each.collection, column) for each in REGISTRY for column in each.entitlement_columns}
#: Columns of a row's identity and owner, which never change by themselves.
_KEYS = {"", "id", "stripe_id", "user", "organization"}
#: How PocketBase's log in --dev mode begins a statement.
_STATEMENT = re.compile(r"^\[\d+\.\d+ms\] ", re.MULTILINE)
_SQL = re.compile(r"\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE)\b")


@pytest_asyncio.fixture
async def own(fresh_stack: Callable[..., Stack]) -> Stack:
    """Parts of which PocketBase logs its statements."""
    stack = fresh_stack(start=False)
    stack.pocketbase.command += ("--dev",)
    stack.start()
    return stack


@pytest_asyncio.fixture
async def purchases(own: Stack) -> AsyncIterator[Purchases]:
    """Sells to one user."""
    async with open_purchases(own) as purchases:
        yield purchases


async def _buy_everything(purchases: Purchases) -> None:
    """Let one user have all that makes computing entitlements read another column."""
    billing = Billing(purchases)
    refunded = await billing.subscribe("pro")
    [item] = refunded["items"]["data"]
    bill = await billing.bill(refunded, billing.line(item))
    await billing.refund(bill)
    await billing.tell_refund(bill.charges[0], "refund.created")
    await billing.dispute(bill.charges[0])
    note = {
        "id": "cn_1",
        "object": "credit_note",
        "invoice": bill.invoice["id"],
        "status": "issued",
    }
    note |= {"customer": purchases.customer["id"], "out_of_band_amount": 1}
    await purchases.tell("credit_note.created", note)
    await billing.subscribe("late", status="past_due")
    await billing.subscribe("paused", pause_collection={"behavior": "void", "resumes_at": None})
    price = await purchases.add_price(
        await purchases.add_product(features="pass", duration_days="30")
    )
    await purchases.tell("checkout.session.completed", purchases.build_session(price))
    sold = billing.other_line(500, pricing={"price_details": {"price": price}})
    await billing.bill({"id": None}, sold, reason="manual", parent=None)
    summary = {
        "object": "entitlements.active_entitlement_summary",
        "customer": purchases.customer["id"],
    }
    listed = {"object": "list", "data": [{"lookup_key": "api"}]}
    kind = "entitlements.active_entitlement_summary.updated"
    await purchases.tell(kind, summary | {"entitlements": listed})


async def _recompute(own: Stack, purchases: Purchases) -> list[str]:
    """Recompute as after a change of features; return the statements."""
    query = (
        "INSERT INTO gateway_work (id, handler, payload, status) VALUES"
        " (?, 'gateway.entitlements.recompute', json_object('object', ?), 'waiting')"
    )
    item = token_hex(8)[:15]
    [product] = (await purchases.dashboard.list("products", "metadata ~ 'late'"))[:1]
    before = len(own.pocketbase.log.read_text(errors="replace"))
    with closing(sqlite3.connect(own.pocketbase.data_dir / "data.db", timeout=10)) as database:
        database.execute(query, [item, product["stripe_id"]])
        database.commit()
    part = {"id": item}
    while (await purchases.dashboard.call("POST", "/api/gateway/work/part", part))["left"]:
        pass
    log = own.pocketbase.log.read_text(errors="replace")[before:]
    parts = [re.split(r"\n(?:INFO|WARN|ERROR|DEBUG) ", part)[0] for part in _STATEMENT.split(log)]
    return [part for part in parts if _SQL.match(part)]


def _find_columns(database: Path, statements: Iterable[str]) -> set[tuple[str, str]]:
    """Which columns SQLite itself says that the statements read."""
    read = set()

    def authorize(action: int, table: str | None, column: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_READ:
            read.add((table or "", column or ""))
        return sqlite3.SQLITE_OK

    with closing(sqlite3.connect(database)) as connection:
        connection.set_authorizer(authorize)
        for statement in statements:
            connection.execute(f"EXPLAIN {statement}")
    return read


async def test_the_registry_lists_each_column_that_is_read(
    own: Stack, purchases: Purchases
) -> None:
    """A column that is missing would change without a recompute: paid, but not entitled."""
    await _buy_everything(purchases)
    statements = await _recompute(own, purchases)
    read = _find_columns(own.pocketbase.data_dir / "data.db", statements)
    mirrored = {each.collection for each in REGISTRY}
    assert {
        (table, column) for table, column in read if table in mirrored and column not in _KEYS
    } == _LISTED
