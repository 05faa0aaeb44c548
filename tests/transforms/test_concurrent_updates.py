"""Updates and deletes that others overtake while their transform is asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.frontend import Frontend
from tests.superuser import log_in_superuser
from tests.transforms.gated import Gate, Gates, make_gated_collections
from tests.transforms.gated_transforms import FOLDER

PEOPLE = "/api/collections/people"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the gates."""
    return tmp_path_factory.mktemp("gates")


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Stack]:
    """Running parts with the transforms of gated_transforms.py."""
    env = {"GATEWAY_APP": "tests.transforms.gated_transforms:app", FOLDER: str(folder)}
    with Stack(plan_throwaway(tmp_path_factory.mktemp("gated"), env)) as running:
        make_gated_collections(running)
        yield running


@pytest_asyncio.fixture
async def browser(gated: Stack) -> AsyncIterator[Frontend]:
    """A browser's view of this PocketBase."""
    async with Frontend(gated.pocketbase.url) as frontend:
        yield frontend


@pytest.fixture
def gates(browser: Frontend, folder: Path) -> Gates:
    """Records with gates."""
    return Gates(browser, folder)


@pytest.fixture
def admin(gated: Stack, browser: Frontend) -> Dashboard:
    """The gateway's own superuser; its writes bypass transforms."""
    return Dashboard(browser, log_in_superuser(gated.pocketbase))


#: By field, two values: one that is stored meanwhile, and the one before it.
VALUES: dict[str, tuple[Any, Any]] = {
    "title": ("Changed", "Before"),
    "count": (7, 1),
    "rating": (4.5, 1.25),
    "locked": (True, False),
    "due": ("2030-01-02 03:04:05.678Z", "2029-01-02 03:04:05.000Z"),
    "place": ({"lon": 13.4, "lat": 52.5}, {"lon": 1, "lat": 2}),
    "data": ({"deep": [1, {"a": None}]}, {"deep": []}),
    "secret": ("new secret", "old secret"),
    "tags": (["c", "d"], ["a"]),
}


@pytest.mark.parametrize("field", VALUES)
async def test_a_field_that_was_not_sent_keeps_what_was_stored_meanwhile(
    field: str, gates: Gates, admin: Dashboard
) -> None:
    """For each type: a slow update of the note does not restore an older value."""
    after, before = VALUES[field]
    path, gate = await gates.create("papers", admin.token, **{field: before})
    async with gates.meanwhile(gate, path, {"note": "mine"}) as answers:
        await admin.call("PATCH", path, {field: after})
    assert answers[0].status_code == 200, answers[0].text
    stored = await admin.call("GET", path)
    assert (stored["note"], stored[field]) == ("mine", after)
    assert gate.asked == 2


@pytest.mark.parametrize("field", [name for name in VALUES if name != "secret"])
async def test_a_field_that_was_sent_is_stored_as_sent(
    field: str, gates: Gates, admin: Dashboard
) -> None:
    """Also where another field has changed, and where the value is the one that was loaded."""
    sent, before = VALUES[field]
    for value in (sent, before):
        path, gate = await gates.create("papers", admin.token, **{field: before})
        async with gates.meanwhile(gate, path, {field: value}) as answers:
            await admin.call("PATCH", path, {"note": "theirs", field: sent})
        assert answers[0].status_code == 200, answers[0].text
        stored = await admin.call("GET", path)
        assert (stored["note"], stored[field]) == ("theirs", value)


@pytest.mark.parametrize(
    ("modifier", "expected"),
    [
        ({"tags+": "b"}, {"tags": ["a", "d", "b"]}),
        ({"+tags": "b"}, {"tags": ["b", "a", "d"]}),
        ({"tags-": "a"}, {"tags": ["d"]}),
        ({"tags": ["c"], "tags+": "b"}, {"tags": ["c", "b"]}),
        ({"count+": 2}, {"count": 12}),
        ({"count-": 3}, {"count": 7}),
        ({"count": 5, "count+": 1}, {"count": 6}),
    ],
)
async def test_modifiers_change_the_value_of_now(
    modifier: dict[str, Any], expected: dict[str, Any], gates: Gates, admin: Dashboard
) -> None:
    """`count+` and `tags+` are applied to what was stored meanwhile, by JSON and by forms."""
    for kind in ("json", "escaped", "form", "urlencoded"):
        path, gate = await gates.create("papers", admin.token, tags=["a"], count=1)
        form = {
            name: (None, value[0] if isinstance(value, list) else str(value))
            for name, value in modifier.items()
        }
        text = json.dumps(modifier).replace("+", "\\u002b").replace("-", "\\u002d")
        json_type = {"Content-Type": "application/json"}
        more: dict[str, Any] = {
            "json": {"json": modifier},
            "escaped": {"content": text, "headers": json_type},
            "form": {"files": form},
            "urlencoded": {"data": {name: value for name, (_, value) in form.items()}},
        }[kind]
        async with gates.meanwhile(gate, path, None, **more) as answers:
            await admin.call("PATCH", path, {"count": 10, "tags": ["a", "d"]})
        assert answers[0].status_code == 200, answers[0].text
        stored = await admin.call("GET", path)
        assert {name: stored[name] for name in expected} == expected, kind


@pytest.mark.parametrize("key", ["image+", "+image", "image"])
async def test_files_of_others_stay(key: str, gates: Gates, admin: Dashboard) -> None:
    """A file that was uploaded meanwhile is kept beside those that are added, and can be read."""
    path, gate = await gates.create("papers", admin.token)
    upload = {key: ("mine.txt", b"mine")}
    async with gates.meanwhile(gate, path, None, files=upload) as answers:
        theirs = {"image": ("theirs.txt", b"theirs")}
        headers = {"Authorization": admin.token}
        answer = await gates.client.http.patch(path, files=theirs, headers=headers)
        answer.raise_for_status()
    assert answers[0].status_code == 200, answers[0].text
    names = (await admin.call("GET", path))["image"]
    assert sorted(name[:4] for name in names) == (["mine"] if key == "image" else ["mine", "thei"])
    for name in names:
        url = f"{path.replace('/collections/', '/files/').replace('/records/', '/')}/{name}"
        assert (await gates.client.http.get(url)).is_success


async def test_a_transform_judges_what_is_stored(gates: Gates, admin: Dashboard) -> None:
    """Its result follows from the values that it is stored with: it is asked once more."""
    path, gate = await gates.create("counted", admin.token, note="one")
    async with gates.meanwhile(gate, path, {"title": "mine"}) as answers:
        await admin.call("PATCH", path, {"note": "one two three"})
    assert answers[0].status_code == 200
    stored = await admin.call("GET", path)
    assert (stored["title"], stored["words"]) == ("mine", 3)
    assert gate.asked == 2


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_what_was_locked_meanwhile_is_refused(
    method: str, gates: Gates, admin: Dashboard
) -> None:
    """A transform that let an update or a delete pass sees what has changed before it is done."""
    path, gate = await gates.create("counted", admin.token, title="kept")
    body = {"title": "mine"} if method == "PATCH" else None
    async with gates.meanwhile(gate, path, body, method=method) as answers:
        await admin.call("PATCH", path, {"locked": True})
    assert (answers[0].status_code, answers[0].json()["message"]) == (403, "It is locked.")
    assert (await admin.call("GET", path))["title"] == "kept"


async def test_a_record_that_changes_again_is_a_conflict(gates: Gates, admin: Dashboard) -> None:
    """A transform is asked twice at most; then the client reads a 409 and nothing is stored."""
    path, gate = await gates.create("counted", admin.token, title="theirs")
    write = asyncio.create_task(gates.client.http.patch(path, json={"title": "mine"}, timeout=30))
    await gate.wait_for(1)
    # The gate is by the record's own field: the second question waits at another one.
    _, other = await gates.create("counted", admin.token)
    await admin.call("PATCH", path, {"gate": other.name, "count": 1})
    gate.open()
    await other.wait_for(1)
    await admin.call("PATCH", path, {"count": 2})
    other.open()
    answer = await write
    assert (answer.status_code, answer.json()["data"]) == (409, {})
    stored = await admin.call("GET", path)
    assert (stored["title"], stored["count"]) == ("theirs", 2)


async def test_the_rule_is_judged_by_the_record_of_now(gates: Gates, admin: Dashboard) -> None:
    """A user who loses access to a record during the transform does not change it."""
    path, gate = await gates.create("papers", admin.token, title="theirs")
    async with gates.meanwhile(gate, path, {"title": "mine"}) as answers:
        await admin.call("PATCH", path, {"owner": "somebody else"})
    assert answers[0].status_code == 404
    assert (await admin.call("GET", path))["title"] == "theirs"


async def test_a_record_that_was_deleted_meanwhile_stays_so(gates: Gates, admin: Dashboard) -> None:
    """A slow update and a slow delete of it are a 404."""
    for collection, method in (("papers", "PATCH"), ("counted", "DELETE")):
        path, gate = await gates.create(collection, admin.token)
        async with gates.meanwhile(gate, path, {"title": "mine"}, method=method) as answers:
            await admin.call("DELETE", path)
        assert answers[0].status_code == 404


async def _make_person(gates: Gates) -> tuple[str, Gate, str, str]:
    """Return the address of a new person, the gate, a token and the e-mail address."""
    email = f"{token_hex(6)}@example.com"
    values = {"email": email, "password": "old-password", "passwordConfirm": "old-password"}
    path, gate = await gates.create("people", **values)
    return path, gate, await gates.client.log_in(email, "old-password", "people"), email


async def test_a_ban_and_a_verification_survive_an_update(gates: Gates, admin: Dashboard) -> None:
    """A superuser's change during a user's update stays; a ban refuses the update."""
    for field, status in (("verified", 200), ("banned", 404)):
        path, gate, token, _ = await _make_person(gates)
        async with gates.meanwhile(gate, path, {"name": "New"}, token) as answers:
            await admin.call("PATCH", path, {field: True})
        assert answers[0].status_code == status, answers[0].text
        assert (await admin.call("GET", path))[field] is True


async def test_a_changed_password_survives_an_update(gates: Gates, admin: Dashboard) -> None:
    """The old password and the old token stay worthless; the transform is not asked again."""
    path, gate, token, email = await _make_person(gates)
    async with gates.meanwhile(gate, path, {"name": "New"}, token) as answers:
        new = {"password": "new-password", "passwordConfirm": "new-password"}
        await admin.call("PATCH", path, new)
    assert answers[0].status_code == 200, answers[0].text
    assert answers[0].json()["name"] == "New"
    assert await gates.client.log_in(email, "new-password", "people")
    with pytest.raises(httpx.HTTPStatusError):
        await gates.client.log_in(email, "old-password", "people")
    answer = await gates.client.http.post(
        f"{PEOPLE}/auth-refresh", headers={"Authorization": token}
    )
    assert answer.status_code == 401


async def test_a_password_that_was_sent_is_set(gates: Gates, admin: Dashboard) -> None:
    """A change of the password by its owner holds, also where another field changed meanwhile."""
    path, gate, token, email = await _make_person(gates)
    new = {
        "oldPassword": "old-password",
        "password": "new-password",
        "passwordConfirm": "new-password",
    }
    async with gates.meanwhile(gate, path, new, token) as answers:
        await admin.call("PATCH", path, {"verified": True})
    assert answers[0].status_code == 200, answers[0].text
    assert (await admin.call("GET", path))["verified"] is True
    assert await gates.client.log_in(email, "new-password", "people")
    with pytest.raises(httpx.HTTPStatusError):
        await gates.client.log_in(email, "old-password", "people")


async def test_a_batch_is_refused_as_a_conflict(gates: Gates, admin: Dashboard) -> None:
    """A change between the transform and the transaction refuses the batch; nothing is lost."""
    path, gate = await gates.create("papers", admin.token)
    requests = [{"method": "PATCH", "url": path, "body": {"note": "mine"}}]
    batch = {"requests": requests}
    async with gates.meanwhile(gate, "/api/batch", batch, method="POST") as answers:
        await admin.call("PATCH", path, {"title": "theirs"})
    failed = answers[0].json()["data"]["requests"]["0"]["response"]
    assert failed["status"] == 409
    stored = await admin.call("GET", path)
    assert (stored["title"], stored["note"]) == ("theirs", "")


async def test_the_gateways_own_route_loses_nothing(
    gated: Stack, gates: Gates, admin: Dashboard
) -> None:
    """`PATCH /records/…` gives the same guarantee."""
    path, gate = await gates.create("papers", admin.token)
    url = f"{gated.gateway.url}/records/papers/{path.rpartition('/')[2]}"
    async with gates.meanwhile(gate, url, {"note": "mine"}) as answers:
        await admin.call("PATCH", path, {"title": "theirs"})
    assert answers[0].status_code == 200
    stored = await admin.call("GET", path)
    assert (stored["title"], stored["note"]) == ("theirs", "mine")


@pytest.mark.parametrize("collection", ["papers", "counted", "created_only"])
async def test_no_round_of_concurrent_updates_loses_a_field(
    collection: str, gates: Gates, admin: Dashboard
) -> None:
    """Sixty rounds of five updates of different fields at once: what got a 200 is stored."""
    path, gate = await gates.create(collection, admin.token)
    gate.open()
    bodies: list[dict[str, Any]] = [
        {"title": ""},
        {"note": ""},
        {"count+": 1},
        {"rating": 0},
        {"data": 0},
    ]
    for number in range(1, 61):
        sent = [{name: _vary(name, number) for name in body} for body in bodies]
        answers = await asyncio.gather(
            *(gates.client.http.patch(path, json=body, timeout=30) for body in sent)
        )
        assert [answer.status_code for answer in answers] == [200] * 5, number
        stored = await admin.call("GET", path)
        wanted = {k: v for body in sent for k, v in body.items() if k != "count+"}
        assert {name: stored[name] for name in wanted} == wanted, number
        assert stored["count"] == number


def _vary(name: str, number: int) -> Any:
    return {"title": f"title {number}", "note": "word " * number + "end", "count+": 1}.get(
        name, number
    )


@pytest.mark.parametrize("collection", ["unguarded", "users"])
async def test_an_update_without_a_transform_saves_only_what_it_changes(
    collection: str, gates: Gates, admin: Dashboard
) -> None:
    """Sixty rounds of updates of different fields at once, where no transform is: none is lost."""
    made = {"email": "one@example.com", "password": "12345678", "passwordConfirm": "12345678"}
    path, _ = await gates.create(collection, admin.token, **made)
    names = {
        "unguarded": ("title", "note", "rating", "data"),
        "users": ("name", "verified", "email", "emailVisibility"),
    }[collection]
    for number in range(1, 61):
        wanted: dict[str, Any] = dict.fromkeys(names, f"{number}@example.com")
        wanted |= {
            name: number % 2 == 1 for name in names if name in ("verified", "emailVisibility")
        }
        wanted |= {name: number for name in names if name in ("rating", "data")}
        headers = {"Authorization": admin.token}
        answers = await asyncio.gather(
            *(
                gates.client.http.patch(path, json={k: v}, headers=headers, timeout=30)
                for k, v in wanted.items()
            )
        )
        assert [answer.status_code for answer in answers] == [200] * 4, number
        stored = await admin.call("GET", path)
        assert {name: stored[name] for name in wanted} == wanted, number


async def test_an_update_of_nothing_is_no_error(gates: Gates, admin: Dashboard) -> None:
    """Neither where no transform is, nor where the values are as stored."""
    path, _ = await gates.create("unguarded", admin.token, title="same", note="")
    for body in ({}, {"title": "same"}, {"unknown": 1}):
        await admin.call("PATCH", path, body)
    assert (await admin.call("GET", path))["title"] == "same"


@pytest.mark.parametrize(
    "more",
    [
        {"content": "null", "headers": {"Content-Type": "application/json"}},
        {"files": {"@jsonPayload": (None, "null")}},
        {"data": {"constructor": "x", "__proto__": "y", "%ff": "z"}},
    ],
)
async def test_an_odd_body_is_served_as_without_a_transform(
    more: dict[str, Any], gates: Gates, admin: Dashboard
) -> None:
    """A body that is null, or has names that every object has, changes nothing."""
    for collection in ("unguarded", "papers"):
        path, gate = await gates.create(collection, admin.token, title="same", count=1)
        gate.open()
        answer = await gates.client.http.patch(path, **more)
        assert answer.status_code == 200, (collection, answer.text)
        assert (answer.json()["title"], answer.json()["count"]) == ("same", 1)


async def test_a_gateway_that_is_killed_while_it_is_asked_is_not_seen(
    gated: Stack, gates: Gates, admin: Dashboard
) -> None:
    """The write waits for the next process, and asks that one."""
    path, gate = await gates.create("counted", admin.token)
    async with gates.meanwhile(gate, path, {"note": "three words here"}) as answers:
        gated.gateway.kill()
        gated.gateway.start()
    assert answers[0].status_code == 200, answers[0].text
    assert answers[0].json()["words"] == 3
    assert gate.asked == 2
    gated.gateway.wait_ready()
