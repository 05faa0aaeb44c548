"""/api/batch: all items in one call to the gateway before the transaction, and none around it."""

from secrets import token_hex
from typing import Any

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.frontend import Frontend, User

NOTES = "/api/collections/notes/records"
#: With transforms of creates and updates only.
MIRRORS = "/api/collections/mirrors/records"
Item = dict[str, Any]


def item(method: str, url: str, **body: Any) -> Item:
    """One request of a batch."""
    return {"method": method, "url": url, "body": body}


async def send(client: Frontend, user: User, *items: Item) -> list[Any]:
    """Send a batch; return the items' results."""
    body = {"requests": list(items)}
    found: list[Any] = await client.call("POST", "/api/batch", token=user.token, body=body)
    return found


async def refuse(client: Frontend, user: User, *items: Item) -> dict[str, Any]:
    """Send a batch that fails; return the error of the item that made it fail."""
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await send(client, user, *items)
    answer = refused.value.response.json()
    assert answer["status"] == 400
    (only,) = answer["data"]["requests"].values()
    found: dict[str, Any] = only["response"]
    return found


async def test_every_item_is_transformed(client: Frontend, author: User) -> None:
    """Creates, updates with modifiers and upserts of one batch all store what transforms return."""
    [first] = await send(client, author, item("POST", NOTES, author=author.id, title=" An  Old "))
    note = first["body"]
    results = await send(
        client,
        author,
        item("POST", f"{NOTES}?fields=title,slug", author=author.id, title="  Brand   New"),
        item("PATCH", f"{NOTES}/{note['id']}", **{"count+": 2, "title": "Changed  Now"}),
        item("PUT", NOTES, id="upsert000000001", author=author.id, title=" Up  Sert "),
        item("POST", "/api/collections/plain/records", title="  as it is  "),
    )
    assert [result["status"] for result in results] == [200] * 4
    created, changed, upserted, plain = (result["body"] for result in results)
    assert created == {"title": "Brand New", "slug": "brand-new"}
    assert (changed["slug"], changed["count"]) == ("changed-now", 2)
    assert upserted["slug"] == "up-sert"
    assert plain["title"] == "  as it is  "
    [again] = await send(
        client, author, item("PUT", NOTES, id="upsert000000001", title="Up Sert  Again")
    )
    assert again["body"]["slug"] == "up-sert-again"


async def test_an_items_errors_have_pocketbases_shape(client: Frontend, author: User) -> None:
    """The item that is not valid is named, with its fields, and nothing of the batch is stored."""
    good = item("POST", NOTES, author=author.id, title="batch of two")
    error = await refuse(client, author, good, item("POST", NOTES, title="x"))
    assert error["status"] == 400
    assert error["message"] == "Failed to create record."
    assert error["data"]["title"]["code"] == "validation_string_too_short"
    records = await client.list_records("notes", filter="title = 'batch of two'")
    assert records == []


@pytest.mark.parametrize("header", ["x-gateway-item", "X-Gateway-Item", "X-GATEWAY-ITEM"])
async def test_a_client_cannot_forge_the_mark_of_an_item(
    client: Frontend, author: User, header: str
) -> None:
    """An item that names itself by our header is transformed all the same."""
    forged = item("POST", NOTES, author=author.id, title="  For  ged ") | {
        "headers": {header: ".0"}
    }
    [result] = await send(client, author, forged)
    assert result["body"]["title"] == "For ged"


@pytest.mark.parametrize(
    "url",
    [
        "/api/collections/{id}/records",
        "/api/collections/NOTES/records",
        "/api/collections/notes/records?",
        "/api/collections/notes/records?fields=id,slug&x=/api/collections/plain/records",
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_no_spelling_of_the_address_goes_around(
    client: Frontend, author: User, board: Dashboard, url: str, method: str
) -> None:
    """A collection by its id, in capitals, or with a query is the same collection."""
    collection = await board.call("GET", "/api/collections/notes")
    url = url.format(id=collection["id"])
    [result] = await send(client, author, item(method, url, author=author.id, title=" A  B "))
    assert result["body"]["slug"] == "a-b"


async def test_one_batch_does_not_write_a_record_twice(client: Frontend, author: User) -> None:
    """The second write would be judged by a state that the first has replaced: it is refused."""
    [made] = await send(client, author, item("POST", NOTES, author=author.id, title="twice"))
    path = f"{NOTES}/{made['body']['id']}"
    first, second = item("PATCH", path, count=1), item("PATCH", path, title="thrice")
    error = await refuse(client, author, first, second)
    assert "in a request of its own" in error["message"]
    born = "borninbatch0001"
    error = await refuse(
        client,
        author,
        item("POST", NOTES, id=born, author=author.id, title="born"),
        item("PATCH", f"{NOTES}/{born}", title="grown"),
    )
    assert "in a request of its own" in error["message"]


@pytest.mark.parametrize("records", [NOTES, MIRRORS])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_an_upsert_of_a_record_that_the_batch_wrote_is_refused(
    client: Frontend, author: User, records: str, method: str
) -> None:
    """The error names the batch: it is not a conflict that another try could solve."""
    values = {"title": "again", "author": author.id}
    if method == "PUT":
        upsert = item("PUT", records, id=token_hex(8)[:15], **values)
        items = [upsert, upsert]
    else:
        [made] = await send(client, author, item("POST", records, **values))
        known = made["body"]["id"]
        items = [item("DELETE", f"{records}/{known}"), item("PUT", records, id=known, **values)]
    error = await refuse(client, author, *items)
    assert "in a request of its own" in error["message"]


@pytest.mark.parametrize("count", ["NaN", "-Infinity"])
async def test_a_number_outside_json_has_pocketbases_error(
    client: Frontend, author: User, count: str
) -> None:
    """No transform can get it; PocketBase's validation names the item and the field."""
    fine = item("POST", MIRRORS, title="fine")
    [made] = await send(client, author, fine)
    path = f"{MIRRORS}/{made['body']['id']}"
    for wrong in (item("POST", MIRRORS, count=count), item("PATCH", path, count=count)):
        error = await refuse(client, author, fine, wrong)
        assert error["data"]["count"]["code"] == "validation_not_a_number"


async def test_somebody_elses_record_is_not_shown_to_a_transform(
    client: Frontend, author: User
) -> None:
    """A batch is told what PocketBase tells of a record that its sender may not change: nothing."""
    [made] = await send(client, author, item("POST", NOTES, author=author.id, title="locked"))
    path = f"{NOTES}/{made['body']['id']}"
    stranger = await client.sign_up()
    for attempt in (item("PATCH", path, title="x"), item("DELETE", path)):
        error = await refuse(client, stranger, attempt)
        assert error["status"] == 404
        assert error["data"] == {}
    error = await refuse(client, author, item("DELETE", path))
    assert error["message"] == "A locked note stays."


async def test_an_item_may_leave_out_what_it_does_not_need(client: Frontend, author: User) -> None:
    """Without a body or with null headers it is served; a malformed query PocketBase refuses."""
    [made] = await send(client, author, item("POST", NOTES, author=author.id, title="bare"))
    path = f"{NOTES}/{made['body']['id']}"
    [same] = await send(client, author, {"method": "PATCH", "url": path})
    assert same["body"]["slug"] == "bare"
    error = await refuse(client, author, item("PATCH", f"{path}?x=%zz", title="malformed"))
    assert error["message"] == "Something went wrong while processing your request."
    odd = item("PATCH", f"{path}?fields=slug&%66oo=a+b&=&x", title="odd  query")
    [changed] = await send(client, author, odd | {"headers": None})
    assert changed["body"] == {"slug": "odd-query"}
    [gone] = await send(client, author, {"method": "DELETE", "url": path})
    assert gone["status"] == 204


async def test_a_batch_makes_one_call(client: Frontend, author: User, records_stack: Stack) -> None:
    """Fifty items are fifty transforms under the id of one request to the gateway."""
    log = records_stack.gateway.log
    before = log.stat().st_size
    items = [item("POST", NOTES, author=author.id, title=f"item {i}") for i in range(50)]
    results = await send(client, author, *items)
    assert [result["body"]["slug"] for result in results] == [f"item-{i}" for i in range(50)]
    lines = [line for line in log.read_text()[before:].splitlines() if "msg=transform" in line]
    assert len(lines) == 50
    assert len({line.rpartition("request=")[2] for line in lines}) == 1
