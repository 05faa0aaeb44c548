"""The request behind a write, rows from before a rule, and changes of an account's address."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack
from gateway.transforms.relayed_client import read_address, sign_address
from tests.frontend import Frontend
from tests.notifications.mail_server import MailServer
from tests.superuser import (
    allow_batches,
    create_collections,
    log_in_superuser,
    open_superuser_client,
)

_RULES = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "")
_FIELDS: list[dict[str, Any]] = [
    {"name": "title", "type": "text"},
    {"name": "kind", "type": "text"},
    {"name": "count", "type": "number"},
    {"name": "tags", "type": "select", "maxSelect": 3, "values": ["a", "b", "c"]},
    {"name": "seen", "type": "json"},
    {"name": "image", "type": "file", "maxSelect": 1},
]
_ACCOUNTS = {"name": "accounts", "type": "auth", "fields": [{"name": "name", "type": "text"}]}
ROOT = "/api/collections"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Running parts with the transforms of requested.py."""
    env = {
        "GATEWAY_APP": "tests.transforms.requested:app",
        "GATEWAY_TRANSFORM_HEADERS": "User-Agent, x-tenant",
        "GATEWAY_TRUSTED_PROXIES": "127.0.0.1",
    }
    with Stack(plan_throwaway(tmp_path_factory.mktemp("requests"), env)) as running:
        with open_superuser_client(running.pocketbase) as client:
            for name in ("traces", "plains", "rules", "stricts"):
                create_collections(client, {"name": name, "fields": _FIELDS, **_RULES})
            create_collections(client, _ACCOUNTS | _RULES)
            allow_batches(client)
        yield running


@pytest_asyncio.fixture
async def guest(own: Stack) -> AsyncIterator[Frontend]:
    """A browser without a user."""
    async with Frontend(own.pocketbase.url) as frontend:
        yield frontend


async def test_a_transform_is_shown_the_values_as_they_were_sent(guest: Frontend) -> None:
    """Before PocketBase casts them, including names that are not fields."""
    path = f"{ROOT}/traces/records"
    body = {"title": 7, "count": "12", "captcha": {"token": "abc"}, "tags": "a"}
    made = await guest.call("POST", path, body=body)
    assert (made["title"], made["count"]) == ("7", 12)
    assert made["seen"]["values"] == body
    changed = await guest.call("PATCH", f"{path}/{made['id']}", body={"tags+": "b", "count-": 2})
    assert changed["seen"]["values"] == {"tags+": "b", "count-": 2}
    assert (changed["tags"], changed["count"]) == (["a", "b"], 10)


async def test_a_form_is_shown_without_its_files(guest: Frontend) -> None:
    """An upload's name is there, and nothing of its content."""
    answer = await guest.http.post(
        f"{ROOT}/traces/records",
        data={"title": "form", "count": "3"},
        files={"image": ("cat.png", b"\x89PNG", "image/png")},
    )
    assert answer.json()["seen"]["values"] == {"title": "form", "count": "3", "image": None}


async def test_an_urlencoded_form_is_shown_as_it_was_sent(guest: Frontend) -> None:
    """Names with spaces, repeated names and bytes that are no UTF-8 are read as PocketBase does."""
    form = "title=a+b&count=3&tags=a&tags=b&a%20b=%C3%A4%3D%26&odd=%ff&constructor=x"
    answer = await guest.http.post(
        f"{ROOT}/traces/records",
        content=form,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    seen = answer.raise_for_status().json()["seen"]["values"]
    wanted = {"title": "a b", "count": "3", "tags": ["a", "b"], "a b": "ä=&", "constructor": "x"}
    assert seen == wanted | {"odd": "\ufffd"}


async def test_the_items_of_a_batch_have_their_own_values(guest: Frontend) -> None:
    """The client is the same for all."""
    requests = [
        {"method": "POST", "url": f"{ROOT}/traces/records", "body": {"title": n}} for n in (1, 2)
    ]
    answer = await guest.http.post(
        "/api/batch", json={"requests": requests}, headers={"X-Tenant": "blue"}
    )
    seen = [item["body"]["seen"] for item in answer.raise_for_status().json()]
    assert [each["values"] for each in seen] == [{"title": 1}, {"title": 2}]
    assert {each["headers"]["x-tenant"] for each in seen} == {"blue"}


async def test_the_client_has_an_address_and_the_chosen_headers(guest: Frontend) -> None:
    """Other headers are not shown, and tokens never."""
    headers = {"X-Tenant": "green", "User-Agent": "a browser", "X-Other": "no", "Cookie": "a=b"}
    answer = await guest.http.post(f"{ROOT}/traces/records", json={"title": "x"}, headers=headers)
    seen = answer.json()["seen"]
    assert seen["address"] == "127.0.0.1"
    assert seen["headers"] == {"user-agent": "a browser", "x-tenant": "green"}


async def test_passwords_are_not_shown(guest: Frontend, own: Stack) -> None:
    """Of a sign-up neither the password nor its repetition leaves PocketBase."""
    made = await guest.call("POST", f"{ROOT}/traces/records", body={"password": "hunter22"})
    assert made["seen"]["values"] == {}
    assert "hunter22" not in own.gateway.log.read_text()


async def test_a_write_by_the_gateway_has_its_own_client(own: Stack, http: Any) -> None:
    """Not the gateway's address; and a client of PocketBase can't claim another one."""
    url = f"{own.gateway.url}/records/traces"
    headers = {"X-Forwarded-For": "203.0.113.7", "X-Tenant": "red", "User-Agent": "an app"}
    answer = await http.post(url, json={"title": "direct"}, headers=headers)
    seen = answer.json()["seen"]
    assert seen["address"] == "203.0.113.7"
    assert seen["headers"] == {"user-agent": "an app", "x-tenant": "red"}
    forged = await http.post(
        f"{own.pocketbase.url}{ROOT}/traces/records",
        json={"title": "forged"},
        headers={"X-Gateway-Client": sign_address("203.0.113.9", 1e9, b"another key of 24 bytes.")},
    )
    assert forged.json()["seen"]["address"] == "127.0.0.1"


async def test_who_does_not_ask_is_shown_nothing(guest: Frontend) -> None:
    """The call stays as small as before."""
    made = await guest.call("POST", f"{ROOT}/plains/records", body={"title": "x"})
    assert made["seen"] is None


def test_a_relayed_address_is_good_for_a_minute() -> None:
    """And by a known key only."""
    key, other = b"one key of 24 characters", b"another key of 24 bytes."
    value = sign_address("2001:db8::1", 1000, key)
    assert read_address(value, 1030, (other, key)) == "2001:db8::1"
    assert read_address(value, 1030, (other,)) == ""
    assert read_address(value, 1100, (key,)) == ""
    assert read_address(value.replace("db8", "db9"), 1000, (key,)) == ""
    for nonsense in ("", "x", "1 2", "99999999999999 x y", "1 \u00fc y"):
        assert read_address(nonsense, 1000, (key,)) == ""


async def _make_old(guest: Frontend, collection: str) -> str:
    """A row that no field of the model is valid in; creates have no transform."""
    body = {"title": "1", "kind": "too long", "count": 1, "tags": ["a", "b"]}
    made = await guest.call("POST", f"{ROOT}/{collection}/records", body=body)
    return f"{ROOT}/{collection}/records/{made['id']}"


async def test_a_row_from_before_a_rule_can_be_edited(guest: Frontend) -> None:
    """Errors of fields that are neither sent nor changed refuse nothing, and are kept as stored."""
    path = await _make_old(guest, "rules")
    changed = await guest.call("PATCH", path, body={"count": 10})
    found = (changed["title"], changed["kind"], changed["count"], changed["tags"])
    assert found == ("1", "too long", 10, ["a", "b"])
    changed = await guest.call("PATCH", path, body={"title": "  Letters "})
    assert changed["title"] == "Letters"
    assert changed["kind"] == "too long"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"title": "2"}, {"title"}),
        ({"title": "1"}, {"title"}),
        ({"kind": "also too long"}, {"kind"}),
        ({"tags+": "c"}, {"tags"}),
        ({"count+": 1}, {"count"}),
        ({"title": "fine", "count": 2}, {"count"}),
    ],
)
async def test_what_a_write_changes_is_still_judged(
    guest: Frontend, body: dict[str, Any], wrong: set[str]
) -> None:
    """Only the errors of the fields that are sent or changed, by a modifier too."""
    path = await _make_old(guest, "rules")
    answer = await guest.http.patch(path, json=body)
    assert answer.status_code == 400
    assert answer.json()["data"].keys() == wrong


async def test_by_default_all_fields_are_judged(guest: Frontend) -> None:
    """A transform that says nothing refuses the row as a whole."""
    path = await _make_old(guest, "stricts")
    answer = await guest.http.patch(path, json={"count": 10})
    assert answer.json()["data"].keys() == {"title", "kind", "tags"}


@pytest_asyncio.fixture
async def mails(own: Stack, guest: Frontend) -> AsyncIterator[MailServer]:
    """The mail server that PocketBase uses."""
    port = pick_free()
    root = await asyncio.to_thread(log_in_superuser, own.pocketbase)
    smtp = {"smtp": {"enabled": True, "host": "127.0.0.1", "port": port}}
    async with MailServer(port) as server:
        await guest.call("PATCH", "/api/settings", token=root, body=smtp)
        yield server


async def _sign_up(guest: Frontend) -> tuple[str, str, str]:
    """Return an account's id, password and token."""
    email, password = f"{token_hex(6)}@example.com", token_hex(8)
    body = {"email": email, "password": password, "passwordConfirm": password}
    made = await guest.call("POST", f"{ROOT}/accounts/records", body=body)
    return made["id"], password, await guest.log_in(email, password, "accounts")


async def test_a_new_address_is_judged_when_it_is_asked_for(
    guest: Frontend, mails: MailServer
) -> None:
    """The error is at the field of PocketBase's form, and no mail is sent."""
    _, _, token = await _sign_up(guest)
    answer = await guest.http.post(
        f"{ROOT}/accounts/request-email-change",
        json={"newEmail": "me@blocked.example"},
        headers={"Authorization": token},
    )
    assert answer.status_code == 400
    assert answer.json()["data"]["newEmail"]["code"] == "email_blocked"
    assert mails.subjects == []


async def test_a_confirmed_address_is_stored_as_the_transform_returns_it(
    guest: Frontend, mails: MailServer, own: Stack
) -> None:
    """With the other fields that it sets."""
    account, password, token = await _sign_up(guest)
    wanted = f"Mixed.{token_hex(4)}@Example.com"
    await guest.call(
        "POST", f"{ROOT}/accounts/request-email-change", token=token, body={"newEmail": wanted}
    )
    [mail] = mails.mails
    text = mail.get_body(("plain", "html"))
    assert text
    found = re.search(r"confirm-email-change/([\w.-]+)", text.get_content())
    assert found
    await guest.call(
        "POST",
        f"{ROOT}/accounts/confirm-email-change",
        body={"token": found[1], "password": password},
    )
    # In a thread: PocketBase mails an alert to the server that runs on this loop.
    root = await asyncio.to_thread(log_in_superuser, own.pocketbase)
    stored = await guest.call("GET", f"{ROOT}/accounts/records/{account}", token=root)
    assert stored["email"] == wanted.lower()
    assert stored["name"] == f"of {wanted}"
    assert stored["verified"] is True
