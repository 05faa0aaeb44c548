"""Functions that run after changes of records: which changes, in which order, with which values."""

import json

import httpx
import pytest

from tests.dashboard import Dashboard
from tests.deadline import eventually, wait_until
from tests.effects.conftest import Notes
from tests.frontend import Frontend, Record
from tests.shop import Shop
from tests.stripe_account import StripeAccount

ORDERS = "/api/collections/orders/records"


async def _create(frontend: Frontend, **values: object) -> Record:
    body = {"title": "An order", "status": "new", **values}
    record: Record = await frontend.call("POST", ORDERS, body=body)
    return record


async def _update(frontend: Frontend, record: Record, **values: object) -> Record:
    found: Record = await frontend.call("PATCH", f"{ORDERS}/{record['id']}", body=values)
    return found


async def test_create_and_update(frontend: Frontend, notes: Notes) -> None:
    """The function gets the record as written, the one before, the current one and its user."""
    user = await frontend.sign_up()
    values = {"tags": ["a"], "details": {"size": [1, 2]}, "paid": True, "copies": 1.5}
    record = await _create(frontend, buyer=user.id, **values)
    [note] = wait_until(lambda: notes.read("ship", id=record["id"]))
    assert (note["operation"], note["user"], note["original"]) == ("create", user.id, None)
    shown = {name: note["record"][name] for name in record if name in note["record"]}
    assert shown == {name: record[name] for name in shown}
    assert shown.keys() >= {"title", "tags", "details", "paid", "copies", "buyer", "updated"}
    assert note["users"] > 0
    assert note["current"]["title"] == "An order"

    await _update(frontend, record, status="paid", title="Another title")
    note = wait_until(lambda: notes.read("ship", id=record["id"], operation="update"))[0]
    assert (note["original"]["status"], note["record"]["status"]) == ("new", "paid")
    assert set(note["changed"]) >= {"status", "title"}
    assert "tags" not in note["changed"]
    assert len(note["key"]) == 15


async def test_fields_choose_updates(frontend: Frontend, notes: Notes) -> None:
    """Updates of other fields, and writes of the same value, are left out."""
    record = await _create(frontend)
    await _update(frontend, record, title="Another title")
    await _update(frontend, record, status="new")
    await _update(frontend, record, status="paid")
    wait_until(lambda: notes.read("ship", id=record["id"], operation="update"))
    assert len(notes.read("ship", id=record["id"])) == 2


async def test_large_integers_keep_their_digits(frontend: Frontend, notes: Notes) -> None:
    """The payload of a change has them as stored, and writes that a function returns store them."""
    details = {"size": 2**53 + 1}
    record = await _create(frontend, details=json.dumps(details))
    await _update(frontend, record, status="paid")
    [note] = wait_until(lambda: notes.read("ship", id=record["id"], operation="create"))
    assert note["record"]["details"] == note["current"]["details"] == details

    async def read_written() -> Record | None:
        found = await frontend.call("GET", f"{ORDERS}/{record['id']}")
        return found if found["copies"] else None

    assert (await eventually(read_written))["details"] == details


async def test_changes_of_a_record_run_in_order(frontend: Frontend, notes: Notes) -> None:
    """A failed change is repeated with its key, and holds back the later ones of its record."""
    record = await _create(frontend, title="fails once")
    await _update(frontend, record, title="second")
    await frontend.call("DELETE", f"{ORDERS}/{record['id']}")
    wait_until(lambda: notes.read("follow", id=record["id"], operation="delete"), 20)
    found = notes.read("follow", id=record["id"])
    assert [each["title"] for each in found] == ["fails once", "second", "second"]
    assert len({each["key"] for each in found}) == 3


async def test_one_that_gives_up_does_not_hold_back(
    frontend: Frontend, notes: Notes, dashboard: Dashboard
) -> None:
    """Parked work stays in the table with its error, and later changes of the record run."""
    record = await _create(frontend, title="never works")
    await _update(frontend, record, title="works")
    wait_until(lambda: notes.read("follow", id=record["id"], title="works"))
    [parked] = await dashboard.list(
        "gateway_work", f"source = 'orders/{record['id']}' && status = 'parked'"
    )
    assert parked["error"] == "no such address"


@pytest.mark.parametrize(
    "body", [{"title": "x"}, {"title": "An order", "buyer": "nosuchuser00000"}]
)
async def test_a_refused_write_has_no_effect(
    body: dict[str, str], frontend: Frontend, dashboard: Dashboard
) -> None:
    """Neither the record nor the work is stored."""
    before = await dashboard.count("gateway_work"), await dashboard.count("orders")
    with pytest.raises(httpx.HTTPStatusError):
        await frontend.call("POST", ORDERS, body=body)
    assert (await dashboard.count("gateway_work"), await dashboard.count("orders")) == before


async def test_a_refused_batch_has_no_effect(frontend: Frontend, dashboard: Dashboard) -> None:
    """The work of its first write is rolled back as well."""
    before = await dashboard.count("gateway_work"), await dashboard.count("orders")
    requests = [
        {"method": "POST", "url": ORDERS, "body": {"title": title}} for title in ("fine", "x")
    ]
    with pytest.raises(httpx.HTTPStatusError):
        await frontend.call("POST", "/api/batch", body={"requests": requests})
    assert (await dashboard.count("gateway_work"), await dashboard.count("orders")) == before


async def test_batch_and_dashboard(frontend: Frontend, dashboard: Dashboard, notes: Notes) -> None:
    """Writes of a batch and of a superuser count."""
    requests = [
        {"method": "POST", "url": ORDERS, "body": {"title": f"batch {number}"}} for number in (1, 2)
    ]
    answer = await frontend.call("POST", "/api/batch", body={"requests": requests})
    made = await dashboard.call("POST", ORDERS, {"title": "by the dashboard"})
    for record in [*(each["body"] for each in answer), made]:
        wait_until(lambda id=record["id"]: notes.read("ship", id=id, operation="create"))


async def test_returned_writes_end_the_loop(
    frontend: Frontend, dashboard: Dashboard, notes: Notes
) -> None:
    """Writes to the same record commit once, and change none of the fields of the effect."""
    record = await _create(frontend)
    made = f"order = '{record['id']}'"
    for number, status in enumerate(("paid", "sent"), 1):
        await _update(frontend, record, status=status)

        async def is_counted(copies: int = number) -> bool:
            return await dashboard.count("counts", f"{made} && number = {copies}") == 1

        await eventually(is_counted)
    await frontend.call("DELETE", f"{ORDERS}/{record['id']}")
    wait_until(lambda: notes.read("follow", id=record["id"], operation="delete"), 20)
    assert len(notes.read("count", id=record["id"])) == 2
    assert await dashboard.count("counts", made) == 2


async def test_long_values_are_left_out(frontend: Frontend, notes: Notes) -> None:
    """The payload has values of up to 5,000 characters; the current record has all."""
    record = await _create(frontend, letter="x" * 5001)
    [note] = wait_until(lambda: notes.read("ship", id=record["id"]))
    assert "letter" not in note["record"]
    assert len(note["current"]["letter"]) == 5001


async def test_secrets_of_users_are_left_out(frontend: Frontend, notes: Notes) -> None:
    """A user's payload has no password and no token key; the user is the record itself."""
    user = await frontend.sign_up()
    [note] = wait_until(lambda: notes.read("welcome", id=user.id))
    assert note["user"] == user.id
    assert "email" in note["fields"]
    assert not {"password", "tokenKey"} & set(note["fields"])


async def test_mirrored_rows(
    shop: Shop, account: StripeAccount, frontend: Frontend, notes: Notes
) -> None:
    """Rows that the gateway writes have effects as well."""
    user = await frontend.sign_up()
    session = await shop.check_out(user, "pro_monthly")
    await shop.pay(session)
    await account.wait_delivered()
    [row] = await frontend.list_records("subscriptions", token=user.token)
    await account.delete(f"subscriptions/{row['stripe_id']}")
    [note] = wait_until(lambda: notes.read("subscription", id=row["id"], status="canceled"))
    assert note["user"] == user.id
