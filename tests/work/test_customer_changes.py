"""Changes of customers for Stripe: in order, repeated after a kill, and ended with their record."""

from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex

import pytest_asyncio

from gateway.customers.sync import SYNC
from gateway.ids import record_id
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.customer_changes import READ_CHANGE, CustomerChange
from gateway.pocketbase.contracts.work import HandlerLimit
from gateway.pocketbase.hook_call import call_hook
from gateway.work import WorkItem
from tests.frontend import Record
from tests.work.office import Office

_USERS = "/api/collections/users/records"
_WORK = "/api/collections/gateway_work/records"
_PAST = "2020-01-01 00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Account:
    """A user with a customer at Stripe."""

    office: Office
    email: str
    user: str
    customer: str

    async def rename(self, name: str) -> None:
        """Change the user's name."""
        await self.office.dashboard.call("PATCH", f"{_USERS}/{self.user}", {"name": name})

    async def delete(self) -> None:
        """Delete the user."""
        await self.office.dashboard.call("DELETE", f"{_USERS}/{self.user}")

    async def claim(self) -> Sequence[WorkItem]:
        """Claim what a gateway would, and return the items of this customer."""
        limits = [HandlerLimit(name=SYNC, limit=32)]
        found = await self.office.claim(handlers=limits)
        return [item for item in found if item.key == self.customer]

    async def read_items(self) -> dict[str, Record]:
        """Return the items of this customer by change."""
        items = await self.office.dashboard.list("gateway_work", f"key = '{self.customer}'")
        return {str(item["payload"]["change"]): item for item in items}

    async def read_outcome(self) -> str:
        """Return the outcome of the deletion."""
        where = f"payer = '{self.user}' && kind = 'deleted'"
        [row] = await self.office.dashboard.list("gateway_payer_changes", where)
        assert bool(row["finished"]) is bool(row["outcome"])
        return str(row["outcome"])


async def _sign_up(office: Office, email: str) -> str:
    body = {"email": email, "verified": True, "password": "12345678", "passwordConfirm": "12345678"}
    return str((await office.dashboard.call("POST", _USERS, body))["id"])


@pytest_asyncio.fixture
async def own(office: Office) -> Account:
    """An account of this test."""
    customer = f"cus_{token_hex(7)}"
    email = f"{customer}@example.com"
    user = await _sign_up(office, email)
    row = {"id": record_id(customer), "stripe_id": customer, "user": user, "email": email}
    row |= {"primary": True}
    await office.dashboard.call("POST", "/api/collections/customers/records", row)
    return Account(office, email, user, customer)


async def test_a_deletion_cancels_the_update_that_waits(own: Account) -> None:
    """Only the deletion is sent to Stripe; its outcome is stored with the item's end."""
    await own.rename("Ada")
    await own.delete()
    items = await own.read_items()
    assert {name: item["status"] for name, item in items.items()} == {
        "update": "cancelled",
        "delete": "waiting",
    }
    assert await own.read_outcome() == ""
    [item] = await own.claim()
    assert item.payload["change"] == "delete"
    await own.office.settle(item, "done", result={"outcome": "canceled"})
    assert await own.read_outcome() == "canceled"


async def test_a_deletion_follows_an_update_that_runs(own: Account) -> None:
    """The changes of one customer never run at once; the update is asked to stop."""
    await own.rename("Ada")
    [update] = await own.claim()
    await own.delete()
    assert await own.claim() == []
    assert (await own.read_items())["update"]["cancel"]
    await own.office.settle(update, "waiting", error="503", delay=600)
    assert (await own.read_items())["update"]["status"] == "cancelled"
    [item] = await own.claim()
    assert item.payload["change"] == "delete"


async def test_a_killed_process_leaves_the_deletion_to_another(own: Account) -> None:
    """The second attempt stores the outcome; the late result of the first changes nothing."""
    await own.delete()
    [first] = await own.claim()
    await own.office.dashboard.call("PATCH", f"{_WORK}/{first.id}", {"lease": _PAST})
    [second] = await own.claim()
    assert (second.id, second.attempts) == (first.id, 2)
    late = await own.office.settle(first, "done", result={"outcome": "deleted"})
    assert late.settled == ()
    assert await own.read_outcome() == ""
    await own.office.settle(second, "done", result={"outcome": "canceled"})
    assert await own.read_outcome() == "canceled"


async def test_a_change_during_the_update_is_sent_too(own: Account) -> None:
    """The item is due again when the older version ends."""
    await own.rename("Ada")
    [first] = await own.claim()
    await own.rename("Grace")
    await own.office.settle(first, "done")
    [second] = await own.claim()
    assert (second.id, second.version) == (first.id, first.version + 1)
    await own.office.settle(second, "done")
    assert (await own.read_items())["update"]["status"] == "done"


async def test_a_transfer_drops_the_former_owners_address(own: Account) -> None:
    """A move by a superuser cancels the update that waits; the next change is the new owner's."""
    await own.rename("Ada")
    other = await _sign_up(own.office, f"other-{own.email}")
    path = f"/api/collections/customers/records/{record_id(own.customer)}"
    await own.office.dashboard.call("PATCH", path, {"user": other})
    items = await own.read_items()
    assert {name: item["status"] for name, item in items.items()} == {
        "update": "cancelled",
        "move": "waiting",
    }
    [move] = await own.claim()
    await own.office.settle(move, "done", result={"outcome": "moved"})


async def test_a_cancelled_deletion_frees_the_customer(
    own: Account, pocketbase: PocketBase
) -> None:
    """It gets the owner of its address; the retried deletion is outdated then."""
    await own.delete()
    again = await _sign_up(own.office, own.email)
    [row] = await own.office.dashboard.list("customers", f"stripe_id = '{own.customer}'")
    assert row["user"] == ""
    item = (await own.read_items())["delete"]
    assert await own.office.queue.cancel([item["id"]]) == 1
    assert await own.read_outcome() == "cancelled"
    [row] = await own.office.dashboard.list("customers", f"stripe_id = '{own.customer}'")
    assert row["user"] == again
    await own.office.queue.retry([item["id"]])
    [claimed] = await own.claim()
    asked = CustomerChange(customer=claimed.key, **claimed.payload)
    current = await call_hook(pocketbase, READ_CHANGE, asked)
    assert current.outdated == "The customer has another owner by now."
    await own.office.settle(claimed, "cancelled", error=current.outdated)


async def test_a_deletion_whose_item_is_gone(own: Account) -> None:
    """A deleted account's customer is deleted at Stripe although its item was deleted."""
    await own.delete()
    before = (await own.read_items())["delete"]
    await own.office.dashboard.call("DELETE", f"{_WORK}/{before['id']}")
    assert (await own.office.queue.add_lost()).deletions == 1
    after = (await own.read_items())["delete"]
    assert (after["id"], after["payload"]) == (before["id"], before["payload"])
    [claimed] = await own.claim()
    await own.office.settle(claimed, "done", result={"outcome": "gone"})
    assert await own.read_outcome() == "gone"
    assert (await own.office.queue.add_lost()).deletions == 0
