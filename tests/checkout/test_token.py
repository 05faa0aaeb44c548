"""Only a valid token of this PocketBase's users may buy."""

import base64
import hashlib
import hmac
import json
import sqlite3
from contextlib import closing

import pytest

from gateway.dev.stack import Stack
from tests.checkout.conftest import CountMade
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.frontend import Frontend, User
from tests.impersonation import impersonate_user
from tests.problem import read_problem
from tests.shop import ORIGIN, Shop, build_order

_REQUESTS = {"/checkout": build_order("pro_monthly"), "/portal": {"return_url": f"{ORIGIN}/a"}}


async def _assert_refused(shop: Shop, authorization: str | None, count_made: CountMade) -> None:
    """Check that both doors stay closed, with the scheme to use, and Stripe is not asked."""
    before = await count_made()
    headers = {} if authorization is None else {"Authorization": authorization.encode()}
    for path, body in _REQUESTS.items():
        answer = await shop.http.post(shop.url + path, json=body, headers=headers)
        read_problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "prices" not in answer.text
    assert await count_made() == before


def _forge(token: str) -> str:
    """The token as another PocketBase, with the same users, would sign it."""
    content = token.rpartition(".")[0]
    digest = hmac.new(b"another secret", content.encode(), hashlib.sha256).digest()
    return f"{content}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _unsign(token: str) -> str:
    """The token with the algorithm `none`."""
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    return f"{header}.{token.split('.')[1]}."


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer garbage",
        "Bearer a.b.c",
        "Bearer null",
        "Bearer undefined",
        "Bearer " + "x" * 5000,
        "Bearer é",
        "Bearer a\tb",
        "Basic dXNlcjpwYXNz",
    ],
)
async def test_without_a_token_nothing_is_sold(
    authorization: str | None, shop: Shop, count_made: CountMade
) -> None:
    """No token, or something that is none, is a 401 problem that names the scheme."""
    await _assert_refused(shop, authorization, count_made)


async def test_a_token_of_another_scheme_is_refused(
    user_without_purchase: User, shop: Shop, count_made: CountMade
) -> None:
    """A good token under another scheme is not taken."""
    for scheme in ("Token", "Basic", "Bearer Bearer", "Bearer,"):
        await _assert_refused(shop, f"{scheme} {user_without_purchase.token}", count_made)


@pytest.mark.parametrize("form", ["{}", "bearer {}", "BEARER {}", "Bearer  {}"])
async def test_a_token_is_taken_as_pocketbase_takes_it(form: str, user: User, shop: Shop) -> None:
    """PocketBase's SDK sends the token without a scheme; the case of a scheme does not matter."""
    headers = {"Authorization": form.format(user.token)}
    for kind in ("application/json", "application/json; charset=utf-8"):
        answer = await shop.http.post(
            f"{shop.url}/checkout",
            content=json.dumps(_REQUESTS["/checkout"]),
            headers=headers | {"Content-Type": kind},
        )
        assert answer.status_code == 200, answer.text
    answer = await shop.http.post(f"{shop.url}/portal", json=_REQUESTS["/portal"], headers=headers)
    assert answer.status_code == 200, answer.text


async def test_a_token_that_this_pocketbase_did_not_sign_is_refused(
    user_without_purchase: User, shop: Shop, count_made: CountMade
) -> None:
    """Another PocketBase's token, an unsigned one and one that is cut short are refused."""
    await _assert_refused(shop, f"Bearer {_forge(user_without_purchase.token)}", count_made)
    await _assert_refused(shop, f"Bearer {_unsign(user_without_purchase.token)}", count_made)
    await _assert_refused(shop, f"Bearer {user_without_purchase.token[:-1]}", count_made)


async def test_a_superusers_token_is_refused(
    dashboard: Dashboard, shop: Shop, count_made: CountMade
) -> None:
    """A superuser can't buy."""
    await _assert_refused(shop, f"Bearer {dashboard.token}", count_made)


async def test_an_expired_token_is_refused(
    user_without_purchase: User, dashboard: Dashboard, shop: Shop, count_made: CountMade
) -> None:
    """A token is good until its time is over, and not a moment longer."""
    path = f"/api/collections/users/impersonate/{user_without_purchase.id}"
    token = (await dashboard.call("POST", path, {"duration": 2}))["token"]
    short = User(
        user_without_purchase.id, user_without_purchase.email, user_without_purchase.password, token
    )
    body = _REQUESTS["/portal"]
    assert (await shop.post("/portal", short, body)).status_code == 404

    async def has_expired() -> bool:
        return (await shop.post("/portal", short, body)).status_code == 401

    await eventually(has_expired)
    await _assert_refused(shop, f"Bearer {token}", count_made)


async def test_a_token_ends_with_a_new_password(
    user: User, frontend: Frontend, shop: Shop, count_made: CountMade
) -> None:
    """After a change of the password the old token is refused."""
    body = {"oldPassword": user.password, "password": "another one", "passwordConfirm": ""}
    body["passwordConfirm"] = body["password"]
    path = f"/api/collections/users/records/{user.id}"
    await frontend.call("PATCH", path, token=user.token, body=body)
    await _assert_refused(shop, f"Bearer {user.token}", count_made)


async def test_a_database_in_trouble_is_no_fault_of_the_token(
    user: User, shop: Shop, stack: Stack
) -> None:
    """While PocketBase can't write, the response is 503, so that a frontend keeps its user."""
    with closing(sqlite3.connect(stack.pocketbase.data_dir / "data.db")) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON gateway_pending_checkouts"
            f" WHEN NEW.buyer = '{user.id}'"
            " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
        try:
            answer = await shop.post("/checkout", user, build_order("pro_monthly"))
        finally:
            database.execute("DROP TRIGGER full")
    read_problem(answer, 503, "pocket-base-unavailable")
    await shop.check_out(user, "pro_monthly")


async def test_no_token_is_remembered(
    user: User, frontend: Frontend, shop: Shop, count_made: CountMade
) -> None:
    """A token that has just been good is refused by the very next request after it has ended."""
    for path in ("/checkout", "/checkout"):
        assert (await shop.post(path, user, _REQUESTS[path])).status_code == 200
    body = {"oldPassword": user.password, "password": "a new one", "passwordConfirm": "a new one"}
    path = f"/api/collections/users/records/{user.id}"
    await frontend.call("PATCH", path, token=user.token, body=body)
    await _assert_refused(shop, f"Bearer {user.token}", count_made)
    token = await frontend.log_in(user.email, "a new one")
    again = User(user.id, user.email, "a new one", token)
    assert (await shop.post("/checkout", again, _REQUESTS["/checkout"])).status_code == 200


async def test_a_token_ends_with_its_user(
    user: User, frontend: Frontend, shop: Shop, count_made: CountMade
) -> None:
    """The token of a deleted user is refused."""
    path = f"/api/collections/users/records/{user.id}"
    await frontend.call("DELETE", path, token=user.token)
    await _assert_refused(shop, f"Bearer {user.token}", count_made)


async def test_a_token_of_another_auth_collection_is_refused(
    user_without_purchase: User,
    stack: Stack,
    superuser_token: str,
    shop: Shop,
    count_made: CountMade,
) -> None:
    """Only `users` buy: a record of another auth collection with a user's id is not that user."""
    with impersonate_user(stack.pocketbase, superuser_token, user_without_purchase) as token:
        await _assert_refused(shop, f"Bearer {token}", count_made)
