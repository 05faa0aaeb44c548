"""`gateway reconcile`: the first import, what differs, and that webhooks win."""

import asyncio
import json
import os
import socket
from secrets import token_hex
from typing import Any

import httpx
import pytest

from gateway.dates import now_column
from gateway.dev.stack import Stack
from gateway.errors import InvalidRequest
from gateway.mirror.registry import BY_OBJECT
from gateway.reconcile.background import RECONCILE
from gateway.reconcile.listed_objects import list_collections, list_kinds
from gateway.reconcile.lists import Cursor, read_page
from gateway.reconcile.rate_limit import RateLimit, RateLimitedStripe
from gateway.reconcile.repair import Repairer
from gateway.reconcile.run import (
    Options,
    ReconciliationDeleted,
    ReconciliationUnderWay,
    Run,
    Runs,
)
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.operations.operator import Operator, run_gateway, start_gateway_command
from tests.operations.seller import Seller
from tests.problem import read_problem

Json = dict[str, Any]


async def _snapshot(dashboard: Dashboard) -> dict[str, list[Json]]:
    return {name: await dashboard.list(name, sort="id") for name in list_collections()}


async def test_long_lists_are_imported_whole(
    shop_operator: Operator, quiet_seller: Seller, shop_dashboard: Dashboard
) -> None:
    """Items and lines beyond the first ten are read, and a spoilt row gets them back."""
    seller = quiet_seller
    buyer, subscription = await seller.sell_subscription()
    [item] = subscription["items"]["data"]
    for amount in range(1, 12):
        price = await seller.create(
            "prices",
            product=item["price"]["product"],
            currency="eur",
            unit_amount=amount,
            **{"recurring[interval]": "month"},
        )
        await seller.create(
            "subscription_items", subscription=subscription["id"], price=price["id"]
        )
    await seller.control("POST", f"subscriptions/{subscription['id']}/renew")
    [invoice, _] = await seller.list("invoices", customer=buyer["id"])

    await shop_operator.reconcile(events=False)

    row = await shop_dashboard.find("subscriptions", subscription["id"])
    assert row
    assert (len(row["items"]), row["has_more"]) == (12, False)
    billed = await shop_dashboard.find("invoices", invoice["id"])
    assert billed
    assert len({line["subscription_item"] for line in billed["lines"]}) >= 12
    spoilt = {"items": row["items"][:10]}
    path = f"/api/collections/subscriptions/records/{row['id']}"
    await shop_dashboard.call("PATCH", path, spoilt)
    again = await shop_operator.reconcile(events=False)
    assert again.found == {("changed", subscription["id"])}
    mended = await shop_dashboard.find("subscriptions", subscription["id"])
    assert mended
    assert mended["items"] == row["items"]


def test_every_mirrored_object_is_listed() -> None:
    """There is a list of Stripe's for each object that has a projection."""
    assert {kind.object for kind in list_kinds()} >= BY_OBJECT.keys()


async def test_first_import_brings_the_whole_account(
    shop_stack: Stack,
    shop_operator: Operator,
    quiet_seller: Seller,
    shop_dashboard: Dashboard,
) -> None:
    """On an account that was never heard of, one run makes every row, linked to its user.

    A second run finds no difference, and the deliveries that come late change nothing.
    """
    seller = quiet_seller
    user = await shop_dashboard.frontend.sign_up()
    buyer, subscription = await seller.sell_subscription(
        email=user.email, **{"metadata[pocketbase_user]": user.id}
    )
    _, ended = await seller.sell_subscription(email="gone@example.com")
    await seller.delete(f"subscriptions/{ended['id']}")
    hidden = await seller.create("products", name="Hidden", active="false")
    price = await seller.create("prices", product=hidden["id"], currency="eur", unit_amount=1)
    await seller.create(f"prices/{price['id']}", active="false")
    coupon = await seller.create("coupons", percent_off=10, duration="once")
    await seller.create(
        "promotion_codes", **{"promotion[type]": "coupon"}, **{"promotion[coupon]": coupon["id"]}
    )
    await seller.create("tax_rates", display_name="VAT", inclusive="false", percentage=19)
    [charge] = await seller.list("charges", customer=buyer["id"])
    refund = await seller.create("refunds", charge=charge["id"])

    # Stripe tells of a checkout only once it is over, so an open one is not missed.
    page = {"success_url": "http://localhost:3000/thanks", "mode": "setup", "currency": "eur"}
    open_session = await seller.create("checkout/sessions", **page)

    imported = await shop_operator.reconcile(events=False)
    assert imported.run.report.is_clean
    assert await shop_dashboard.find("checkout_sessions", open_session["id"]) is None
    assert {"added"} == {kind for kind, _ in imported.found}
    row = await shop_dashboard.find("subscriptions", subscription["id"])
    assert row
    assert (row["status"], row["user"]) == ("active", user.id)
    for collection, stripe_id, column, value in [
        ("subscriptions", ended["id"], "status", "canceled"),
        ("products", hidden["id"], "active", False),
        ("prices", price["id"], "active", False),
        ("coupons", coupon["id"], "percent_off", 10),
        ("refunds", refund["id"], "user", user.id),
        ("customers", buyer["id"], "primary", True),
        ("charges", charge["id"], "amount_refunded", 900),
    ]:
        row = await shop_dashboard.find(collection, stripe_id)
        assert row
        assert row[column] == value
    assert await shop_dashboard.count("payment_methods", f"user = '{user.id}'") == 1
    assert await shop_dashboard.count("promotion_codes") == 1

    before = await _snapshot(shop_dashboard)
    assert not (await shop_operator.reconcile(events=False)).differences
    await seller.switch(paused=False)
    await seller.wait_delivered()
    assert not (await shop_operator.reconcile(dry_run=True)).differences
    after = await _snapshot(shop_dashboard)
    for collection, rows in before.items():
        assert [{**row, "version": ""} for row in after[collection]] == [
            {**row, "version": ""} for row in rows
        ]


async def test_missed_events_are_handled(
    shop_operator: Operator, quiet_seller: Seller, shop_dashboard: Dashboard
) -> None:
    """Events that were never delivered are stored and applied, and none twice."""
    customer = await quiet_seller.create("customers", name="Missed")
    [event, *_] = await quiet_seller.list("events")
    dry = await shop_operator.reconcile(objects=False, dry_run=True)
    assert dry.count("events", "missed") == 1
    assert await shop_dashboard.find("customers", customer["id"]) is None
    done = await shop_operator.reconcile(objects=False)
    assert done.count("events", "applied") == 1
    stored = await shop_dashboard.find("stripe_events", event["id"])
    assert stored
    assert (stored["outcome"], stored["payload"]["id"]) == ("applied", event["id"])
    assert await shop_dashboard.find("customers", customer["id"])
    again = await shop_operator.reconcile(objects=False)
    assert again.run.report.counts["events"] == {"listed": again.count("events")}


async def test_differences_are_reported_and_repaired(
    shop_stack: Stack, shop_operator: Operator, quiet_seller: Seller, shop_dashboard: Dashboard
) -> None:
    """A dry run says what is added, changed, deleted and missing; the next run repairs it."""
    seller = quiet_seller
    await shop_operator.reconcile()
    _, subscription = await seller.sell_subscription(email="a@example.com")
    gone = await seller.create("customers", email="gone@example.com")
    kept = await seller.create("customers", email="kept@example.com")
    await shop_operator.reconcile()

    async def patch(collection: str, stripe_id: str, values: Json) -> None:
        row = await shop_dashboard.find(collection, stripe_id)
        assert row
        await shop_dashboard.call(
            "PATCH", f"/api/collections/{collection}/records/{row['id']}", values
        )

    await seller.delete(f"customers/{gone['id']}")
    await patch("subscriptions", subscription["id"], {"status": "past_due", "quantity": 3})
    lost = await shop_dashboard.find("customers", kept["id"])
    assert lost
    await shop_dashboard.call("DELETE", f"/api/collections/customers/records/{lost['id']}")
    stray = {"id": "a" * 15, "stripe_id": "prod_stray", "name": "?", "active": True}
    await shop_dashboard.call("POST", "/api/collections/products/records", stray)

    expected = {
        ("changed", subscription["id"]),
        ("added", kept["id"]),
        ("deleted", gone["id"]),
        ("missing", "prod_stray"),
    }
    before = await _snapshot(shop_dashboard)
    dry = await shop_operator.reconcile(events=False, dry_run=True)
    assert dry.found == expected
    changed = next(each for each in dry.differences if each.kind == "changed")
    assert changed.columns == ("status", "quantity")
    assert await _snapshot(shop_dashboard) == before

    assert (await shop_operator.reconcile(events=False)).found == expected
    row = await shop_dashboard.find("customers", gone["id"])
    assert row
    assert (row["deleted"], row["email"]) == (True, "gone@example.com")
    row = await shop_dashboard.find("products", "prod_stray")
    assert row
    assert (row["active"], row["deleted"]) == (True, False)
    left = await shop_operator.reconcile(events=False, dry_run=True)
    assert left.found == {("missing", "prod_stray")}
    await shop_dashboard.call("DELETE", f"/api/collections/products/records/{'a' * 15}")


async def test_webhook_that_arrives_meanwhile_wins(
    shop_operator: Operator, seller: Seller, shop_dashboard: Dashboard
) -> None:
    """A page that was listed before a webhook came does not overwrite what the webhook wrote."""
    customer = await seller.create("customers", name="listed")
    await seller.wait_delivered()
    reader = RateLimitedStripe(shop_operator.client, RateLimit(1000))
    kind = next(kind for kind in list_kinds() if kind.name == "customers")
    page = await read_page(reader, kind, Cursor(), None)
    await seller.create(f"customers/{customer['id']}", name="newer")
    await seller.wait_delivered()
    repairer = Repairer(shop_operator.pocketbase, reader, dry_run=False)
    assert not (await repairer.repair("customers", page.found)).differences
    row = await shop_dashboard.find("customers", customer["id"])
    assert row
    assert row["name"] == "newer"


async def test_rows_follow_stripe_while_everything_moves(
    shop_operator: Operator, seller: Seller, shop_dashboard: Dashboard
) -> None:
    """Reconciling over and over while shuffled webhooks arrive ends in Stripe's own state."""
    customers = [await seller.create("customers", name="0") for _ in range(5)]
    await seller.switch(shuffle=8, duplicate=0.3, delay=0.05)

    async def rename(customer: Json) -> None:
        for number in range(1, 9):
            await seller.create(f"customers/{customer['id']}", name=str(number))

    async def reconcile() -> None:
        for _ in range(4):
            await shop_operator.reconcile(only=("customers",), events=False)

    await asyncio.gather(reconcile(), *(rename(customer) for customer in customers))
    await seller.wait_delivered()
    await seller.switch(shuffle=0, duplicate=0, delay=0)
    rows = [await shop_dashboard.find("customers", customer["id"]) for customer in customers]
    assert [row and row["name"] for row in rows] == ["8"] * len(customers)


async def test_cursor_that_is_gone_begins_the_list_anew(
    shop_operator: Operator, seller: Seller, shop_dashboard: Dashboard
) -> None:
    """After the deletion of its last object a run reads the list from the start."""
    done = await shop_operator.reconcile(only=("coupons",), events=False)
    [row, *_] = await shop_dashboard.list("gateway_reconciliations", f"id = '{done.run.id}'")
    cursor = {"after": "NOWHERE", "created": 1_700_000_000, "edge": ["NOWHERE"]}
    killed = f"{socket.gethostname()} {os.getpid()} earlier"
    position = {**row["position"], "done": [], "cursors": {"coupons": cursor}, "process": killed}
    path = f"/api/collections/gateway_reconciliations/records/{row['id']}"
    await shop_dashboard.call("PATCH", path, {"finished": "", "position": position})
    continued = await shop_operator.reconcile(only=("coupons",), events=False)
    assert continued.run.id == done.run.id
    assert continued.run.report.is_clean
    assert continued.count("coupons") == done.count("coupons") + len(await seller.list("coupons"))


async def test_object_made_again_under_its_old_id_comes_back(
    shop_operator: Operator, quiet_seller: Seller, shop_dashboard: Dashboard
) -> None:
    """A deleted row is written again if Stripe has a newer object with that id."""
    await quiet_seller.create("coupons", id="SPRING", percent_off=10, duration="once")
    await quiet_seller.delete("coupons/SPRING")
    await shop_operator.reconcile()
    row = await shop_dashboard.find("coupons", "SPRING")
    assert row
    assert row["deleted"]
    await quiet_seller.control("POST", "clock/advance", {"seconds": 60})
    await quiet_seller.create("coupons", id="SPRING", percent_off=25, duration="once")
    await shop_operator.reconcile(only=("coupons",), events=False)
    row = await shop_dashboard.find("coupons", "SPRING")
    assert row
    assert (row["deleted"], row["percent_off"]) == (False, 25)


async def test_detached_card_loses_its_customer(
    shop_operator: Operator, quiet_seller: Seller, shop_dashboard: Dashboard
) -> None:
    """An object that its list no longer shows is read by itself, and its row follows."""
    await quiet_seller.sell_subscription(email="card@example.com")
    await shop_operator.reconcile()
    [card, *_] = await shop_dashboard.list("payment_methods", "customer != ''", sort="-created")
    await quiet_seller.create(f"payment_methods/{card['stripe_id']}/detach")
    done = await shop_operator.reconcile(only=("payment_methods",), events=False)
    assert done.found == {("changed", card["stripe_id"])}
    row = await shop_dashboard.find("payment_methods", card["stripe_id"])
    assert row
    assert row["customer"] == ""


async def test_refused_list_is_noted_and_passed_over(
    shop_operator: Operator, seller: Seller
) -> None:
    """A key that may not read one list does not keep the others from being compared."""
    await seller.control("POST", "faults", {"path": "/v1/coupons", "status": 403, "times": 1})
    done = await shop_operator.reconcile(only=("coupons", "tax_rates"), events=False)
    assert done.run.report.refused.keys() == {"coupons"}
    assert done.count("tax_rates") == len(await seller.list("tax_rates"))


async def test_rate_limit_is_waited_out(shop_operator: Operator, seller: Seller) -> None:
    """A 429 makes the run wait and go on."""
    fault = {"path": "/v1/products", "status": 429, "retry_after": 0, "times": 1}
    await seller.control("POST", "faults", fault)
    done = await shop_operator.reconcile(only=("products",), events=False)
    assert done.run.report.is_clean
    assert done.count("products") == len(await seller.list("products"))


async def test_stripes_rate_limit_slows_the_run(shop_operator: Operator, seller: Seller) -> None:
    """Lists that are read at the same time wait together after a 429, and none is left out."""
    before = (await seller.control("GET", "state"))["requests"].get("429", 0)
    await seller.control("POST", "rate_limit", {"per_second": 3})
    names = ("products", "coupons", "tax_rates", "promotion_codes")
    done = await shop_operator.reconcile(only=names, events=False)
    await seller.control("POST", "rate_limit", {"per_second": None})
    assert done.run.report.is_clean
    assert {*done.run.report.counts} == {*names}
    assert 0 < (await seller.control("GET", "state"))["requests"]["429"] - before < 12


async def test_run_waits_while_pocketbase_restarts(
    shop_stack: Stack, shop_operator: Operator, quiet_seller: Seller, shop_dashboard: Dashboard
) -> None:
    """PocketBase may end in the middle of a run; every object has its row afterwards."""
    await quiet_seller.create("tax_rates", display_name="VAT", inclusive="false", percentage=7)
    await quiet_seller.create("coupons", percent_off=50, duration="once")
    for path in ("/v1/tax_rates", "/v1/coupons"):
        fault = {"path": path, "method": "GET", "delay_ms": 500, "times": 1}
        await quiet_seller.control("POST", "faults", fault)
    running = asyncio.create_task(
        shop_operator.reconcile(only=("coupons", "tax_rates"), events=False)
    )
    await asyncio.to_thread(shop_stack.pocketbase.kill)
    await asyncio.to_thread(shop_stack.pocketbase.restart)
    done = await running
    assert done.run.report.is_clean
    for collection in ("coupons", "tax_rates"):
        listed = await quiet_seller.list(collection)
        assert done.count(collection) >= len(listed)
        for item in listed[:5]:
            assert await shop_dashboard.find(collection, item["id"])


async def test_unknown_collection_is_refused(shop_operator: Operator) -> None:
    """`--only` takes names of mirrored collections."""
    with pytest.raises(InvalidRequest, match="subscribtions: not mirrored"):
        await shop_operator.reconcile(only=("subscribtions",))


async def test_command_prints_differences_and_a_report(
    shop_stack: Stack, quiet_seller: Seller
) -> None:
    """With --json, stdout has a difference a line and the report last; progress is on stderr."""
    product = await quiet_seller.create("products", name="Printed")
    done = await run_gateway(
        shop_stack, "reconcile", "--only", "products", "--dry-run", "--json", "--rate", "1000"
    )
    assert done.code == 0, done.err
    *differences, report = [json.loads(line) for line in done.lines]
    assert {
        "collection": "products",
        "stripe_id": product["id"],
        "difference": "added",
        "columns": [],
    } in differences
    assert report["counts"]["products"]["added"] == len(differences)
    progress = [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]
    assert {each["progress"] for each in progress} == {"products"}
    assert progress[-1]["counts"] == report["counts"]["products"]
    assert progress[-1]["done"] == report["counts"]["products"]["listed"]


async def _set_limit(dashboard: Dashboard, *, deferred: bool) -> int:
    """Set the length of the log from which commits make checkpoints; return the one before."""
    answer = await dashboard.call("POST", "/api/gateway/checkpoint", {"deferred": deferred})
    return int(answer["before"])


async def _wait_for_limit(dashboard: Dashboard, pages: int, *, deferred: bool) -> None:
    """Wait until another process or the cron job has replaced the limit that is set here."""

    async def is_set() -> bool:
        return await _set_limit(dashboard, deferred=deferred) == pages

    await eventually(is_set, within=30)


async def test_killed_run_is_continued(
    shop_stack: Stack, shop_operator: Operator, quiet_seller: Seller, shop_dashboard: Dashboard
) -> None:
    """After kill -9 the same command goes on behind the last page that was written.

    A run that is under way keeps others from starting; one that was killed does not. Commits make
    checkpoints only outside of runs, also after a killed one.
    """
    await asyncio.gather(
        *(quiet_seller.create("coupons", percent_off=5, duration="once") for _ in range(210))
    )
    coupons = 210 + await shop_dashboard.count("coupons")
    command = ("reconcile", "--only", "coupons,tax_rates")
    async with start_gateway_command(shop_stack, *command, "--rate", "0.5") as running:
        assert running.stderr
        async with asyncio.timeout(30):
            while b"coupons 100 " not in (line := await running.stderr.readline()):
                assert line, "the run has ended"
        with pytest.raises(ReconciliationUnderWay, match=f" {running.pid}: wait until it has"):
            await shop_operator.reconcile(only=("tax_rates",), events=False)
        await _wait_for_limit(shop_dashboard, 15_000, deferred=False)
        running.kill()
        await running.wait()
    await _set_limit(shop_dashboard, deferred=True)
    await shop_dashboard.call("POST", "/api/crons/gateway_checkpoints")
    await _wait_for_limit(shop_dashboard, 1_000, deferred=True)
    written = await shop_dashboard.count("coupons")
    assert coupons - 110 <= written < coupons
    done = await run_gateway(shop_stack, *command, "--rate", "1000")
    assert "continued at coupons: " in done.err
    assert " of 2 lists are done" in done.err
    assert f"coupons: {coupons} listed, 210 added" in done.err
    assert done.err.splitlines()[-1] == "210 added"
    assert await _set_limit(shop_dashboard, deferred=False) == 1_000
    assert await shop_dashboard.count("coupons") == coupons
    again = await run_gateway(shop_stack, *command, "--rate", "1000")
    assert "new run: 2 lists" in again.err
    assert again.out == ""


async def test_reconciliation_over_http(
    http: httpx.AsyncClient, shop_stack: Stack, quiet_seller: Seller, shop_dashboard: Dashboard
) -> None:
    """POST /admin/reconcile adds a run to the queue, one at a time; GET shows its progress."""
    product = await quiet_seller.create("products", name="By HTTP")
    url = f"{shop_stack.gateway.url}/admin/reconcile"
    headers = {"Authorization": f"Bearer {shop_dashboard.token}"}
    body = {"only": ["products", "prices"], "rate": 2}
    started = await http.post(url, json=body, headers=headers)
    assert started.status_code == 202, started.text
    read_problem(await http.post(url, json=body, headers=headers), 409)

    async def find_finished() -> Json | None:
        runs = (await http.get(url, headers=headers)).json()["runs"]
        run = next(run for run in runs if run["id"] == started.json()["id"])
        return run if run["finished"] else None

    run = await eventually(find_finished)
    assert not run["is_under_way"]
    [item] = await shop_dashboard.list("gateway_work", f"source = '{run['id']}'")
    assert item["handler"] == "gateway.reconcile.run"

    # As after a kill between the end of the run and the item's: it is not run once more.
    names = ("id", "kind", "handler", "source", "payload")
    again = {name: item[name] for name in names} | {"coalesce": True}
    await shop_dashboard.call("POST", "/api/gateway/work/enqueue", {"items": [again]})

    async def is_done() -> bool:
        [found] = await shop_dashboard.list("gateway_work", f"source = '{run['id']}'")
        return bool(found["version"] > item["version"] and found["status"] == "done")

    await eventually(is_done, within=30)
    newest = (await http.get(url, headers=headers)).json()["runs"][0]
    assert newest["id"] == run["id"]
    assert product["id"] in [each["stripe_id"] for each in run["report"]["differences"]]
    assert await shop_dashboard.find("products", product["id"])
    unknown = {"only": ["unicorns"]}
    read_problem(await http.post(url, json=unknown, headers=headers), 400, "invalid-request")


async def test_a_run_ends_when_its_row_is_deleted(
    shop_stack: Stack, shop_operator: Operator, shop_dashboard: Dashboard
) -> None:
    """A queued run is cancelled; one under way stops and does not start again."""
    item = {"id": f"{token_hex(7)}0", "kind": "task", "handler": RECONCILE, "source": "gone"}
    item |= {"payload": {"options": {"only": []}, "rate": 1}}
    await shop_dashboard.call("POST", "/api/gateway/work/enqueue", {"items": [item]})

    async def read_end() -> str:
        [found] = await shop_dashboard.list("gateway_work", f"id = '{item['id']}'")
        return str(found["error"]) if found["status"] == "cancelled" else ""

    assert await eventually(read_end, within=30) == "the row of this reconciliation was deleted"
    runs = Runs(shop_operator.pocketbase)
    run = await runs.begin(Run("", Options(), now_column()))
    path = f"/api/collections/gateway_reconciliations/records/{run.id}"
    await shop_dashboard.call("DELETE", path)
    with pytest.raises(ReconciliationDeleted):
        await runs.save(run)
