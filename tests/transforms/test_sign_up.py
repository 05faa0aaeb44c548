"""Sign-ups pass through the transform of their collection, also those by OAuth2."""

from secrets import token_hex
from typing import Any

import httpx
import pytest

from tests.dashboard import Dashboard
from tests.frontend import Frontend
from tests.transforms.identity_provider import run_provider

MEMBERS = "/api/collections/members"


async def _sign_in(
    client: Frontend, board: Dashboard, known_as: str, at: str = "example.com", **sent: Any
) -> httpx.Response:
    """Sign in for the first time with this name at the provider."""
    somebody = token_hex(6)
    user = {"sub": somebody, "name": known_as, "email": f"{somebody}@{at}"}
    with run_provider(user | {"email_verified": True}) as url:
        provider = {
            "name": "oidc",
            "clientId": "us",
            "clientSecret": "secret",
            "authURL": f"{url}/authorize",
            "tokenURL": f"{url}/token",
            "userInfoURL": f"{url}/user",
        }
        mapped = {"name": "name"}
        oauth2 = {"enabled": True, "providers": [provider], "mappedFields": mapped}
        await board.call("PATCH", MEMBERS, {"oauth2": oauth2})
        body = {"provider": "oidc", "code": "any", "redirectURL": f"{url}/back", "createData": sent}
        return await client.http.post(f"{MEMBERS}/auth-with-oauth2", json=body)


async def test_a_sign_up_with_a_password_is_transformed(client: Frontend) -> None:
    """An auth collection's records are records; the password still works."""
    password = token_hex(8)
    email = f"{token_hex(6)}@example.com"
    body = {"email": email, "password": password, "passwordConfirm": password, "name": " A  B "}
    made = await client.call("POST", f"{MEMBERS}/records", body=body)
    assert made["name"] == "A B"
    assert await client.log_in(email, password, "members")


@pytest.mark.parametrize("sent", [{}, {"name": "  Ada   Lovelace"}])
async def test_a_sign_up_by_oauth2_is_transformed(
    client: Frontend, board: Dashboard, sent: dict[str, str]
) -> None:
    """The provider's and the client's values are given as they would be saved."""
    answer = await _sign_in(client, board, " Ada  Lovelace ", **sent)
    assert answer.json()["record"]["name"] == "Ada Lovelace"
    assert answer.json()["record"]["verified"] is True


async def test_a_sign_up_by_oauth2_can_be_refused(client: Frontend, board: Dashboard) -> None:
    """The errors are those of any other create, and no user is created."""
    before = await board.count("members")
    answer = await _sign_in(client, board, "root")
    assert answer.status_code == 400
    assert answer.json()["data"]["name"]["code"] == "name_reserved"
    assert await board.count("members") == before


@pytest.mark.parametrize("email", ["", None, ["a@example.com"], {"a": 1}, 5, True])
async def test_the_address_that_a_sign_up_stores_is_judged(
    client: Frontend, board: Dashboard, email: Any
) -> None:
    """If PocketBase takes the provider's address, the transform gets it, whatever was sent."""
    answer = await _sign_in(client, board, "Ada", at="blocked.example", email=email)
    assert answer.status_code == 400
    assert answer.json()["data"]["email"]["code"] == "email_blocked"
