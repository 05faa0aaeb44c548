"""A sign-up never gets another user's rows."""

from typing import Any

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.delivery import Sender, build_customer, build_event
from tests.frontend import Frontend

_USERS = "/api/collections/users/records"


def _build_user(**members: Any) -> dict[str, Any]:
    return {"password": "correct-horse", "passwordConfirm": "correct-horse", **members}


@pytest.mark.parametrize("way", ["create", "batch"])
async def test_the_id_of_a_former_user_can_not_be_taken(
    way: str, frontend: Frontend, sender: Sender, dashboard: Dashboard
) -> None:
    """Stripe still names a user who is gone; a newcomer can't become whom it names."""
    former = await frontend.sign_up()
    await frontend.call("DELETE", f"{_USERS}/{former.id}", token=former.token)
    body = _build_user(id=former.id, email=f"{way}-{former.email}")
    entry = {"method": "POST", "url": _USERS, "body": body}
    path, body = (_USERS, body) if way == "create" else ("/api/batch", {"requests": [entry]})
    refused = await frontend.http.post(path, json=body)
    assert refused.status_code in (400, 403)
    customer = build_customer(former.id)
    assert (await sender.send(build_event("customer.created", customer))).status_code == 200
    row = await dashboard.find("customers", customer["id"])
    assert row
    assert row["user"] == ""


async def test_the_answer_names_the_id(frontend: Frontend) -> None:
    """A sign-up with an id gets an error at `id`."""
    body = _build_user(id="abcdefghijklmno", email="chooser@example.com")
    refused = await frontend.http.post(_USERS, json=body)
    assert refused.json()["data"]["id"]["code"] == "validation_id_chosen"


async def test_a_superuser_may_choose_ids(dashboard: Dashboard) -> None:
    """An import of users keeps their ids."""
    body = _build_user(id="importeduser001", email="imported@example.com")
    assert (await dashboard.call("POST", _USERS, body))["id"] == "importeduser001"
    await dashboard.call("DELETE", f"{_USERS}/importeduser001")


def test_a_list_of_prices_has_a_limit(stack: Stack, owner: Any) -> None:
    """The number of records in one call of a user is limited."""
    answer = httpx.post(
        f"{stack.pocketbase.url}/api/gateway/buyer",
        json={"prices": ["price_x"] * 100_000},
        headers={"Authorization": owner.token},
        trust_env=False,
    )
    assert answer.status_code == 413
