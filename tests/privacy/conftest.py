"""A person with data everywhere: at Stripe, in rows, work, files, and a team's records."""

from collections.abc import AsyncIterator
from secrets import token_hex
from typing import Any

import pytest_asyncio

from gateway.pocketbase.contracts.work import ENQUEUE, NewItem
from tests.dashboard import Dashboard
from tests.frontend import Frontend
from tests.privacy.people import Buyer
from tests.shop import Shop
from tests.stripe_account import StripeAccount

_TEXT: dict[str, Any] = {"type": "text"}


@pytest_asyncio.fixture
async def team_collections(dashboard: Dashboard) -> AsyncIterator[None]:
    """A team's collections: notes of users, leads with an address, and texts without a link."""
    users = (await dashboard.call("GET", "/api/collections/users"))["id"]
    owner = {"name": "author", "type": "relation", "collectionId": users, "maxSelect": 1}
    files = {"name": "file", "type": "file", "maxSelect": 1, "protected": True}
    made = {
        "notes": [owner, {"name": "text", **_TEXT}, {"name": "api_token", **_TEXT}, files],
        "leads": [{"name": "contact", "type": "email"}, {"name": "remark", **_TEXT}],
        "texts": [{"name": "text", **_TEXT}],
    }
    for name, fields in made.items():
        collection = {"name": name, "type": "base", "fields": fields}
        await dashboard.call("POST", "/api/collections", collection)
    yield
    for name in made:
        await dashboard.call("DELETE", f"/api/collections/{name}")


@pytest_asyncio.fixture
async def buyer(
    team_collections: None,
    frontend: Frontend,
    dashboard: Dashboard,
    shop: Shop,
    account: StripeAccount,
) -> Buyer:
    """A verified user with a subscription, a lifetime purchase, a second customer, and records."""
    tag = token_hex(4)
    user = await frontend.sign_up(f"annabel-{tag}@privacy.test")
    found = Buyer(user, name=f"Annabel Q{tag}", phone=f"+4930{int(tag, 16):010d}"[:15])
    path = f"/api/collections/users/records/{user.id}"
    await dashboard.call("PATCH", path, {"name": found.name, "verified": True})
    for price in ("pro_monthly", "lifetime"):
        await shop.pay(await shop.check_out(user, price))
    await account.wait_delivered()
    [row] = await dashboard.list("customers", f"user = '{user.id}'")
    fields = {
        "phone": found.phone,
        "address[line1]": f"Street of {found.name}",
        "address[country]": "DE",
        "metadata[nickname]": found.name,
    }
    await account.create(f"customers/{row['stripe_id']}", **fields)
    second = {"email": found.user.email, "metadata[pocketbase_user]": user.id}
    other = await account.create("customers", name=found.name, **second)
    found.customers = [row["stripe_id"], other["id"]]
    await account.wait_delivered()
    await _add_records(dashboard, found)
    return found


async def _add_records(dashboard: Dashboard, found: Buyer) -> None:
    email, user = found.user.email, found.user.id
    records = "/api/collections/{}/records"
    answer = await dashboard.frontend.http.post(
        records.format("notes"),
        data={"author": user, "text": f"I am {found.name}", "api_token": "t0p"},
        files={"file": ("note.txt", f"{found.name} was here".encode())},
        headers={"Authorization": dashboard.token},
    )
    found.note = answer.raise_for_status().json()["id"]
    lead = {"contact": email.upper(), "remark": f"Ask {email} and bob@other.test"}
    found.lead = (await dashboard.call("POST", records.format("leads"), lead))["id"]
    item = NewItem(
        id=token_hex(8)[:15], kind="task", handler="none", payload={"to": email}, user=user
    )
    await dashboard.call("POST", ENQUEUE.path, {"items": [item.model_dump()]})
    await dashboard.call(
        "PATCH", f"{records.format('gateway_work')}/{item.id}", {"status": "done", "result": email}
    )
    found.item = item.id
