"""An organization that has lost its owner, or all members, is not billed for ever."""

from collections.abc import Callable

import pytest

from gateway.dev.stack import Stack
from tests.dashboard import open_dashboard
from tests.deadline import eventually
from tests.frontend import Record, User
from tests.http_client import open_client
from tests.shop import Shop
from tests.stripe_account import StripeAccount
from tests.teams.team import MEMBERSHIPS, Team, found_team
from tests.teams.test_purchase import buy, offer

_USERS = "/api/collections/users/records"
_CHECK = "/api/gateway/organizations/check"


async def _subscribe(team: Team, shop: Shop, account: StripeAccount) -> str:
    await buy(shop, team, team.owner, await offer(account, features="pro"))
    [row] = await team.dashboard.list("subscriptions", f"organization = '{team.id}'", "-created")
    return str(row["stripe_id"])


async def _wait_for_owner(team: Team) -> Record:
    where = f"organization = '{team.id}' && role = 'owner'"
    [owner] = await eventually(lambda: team.dashboard.list("memberships", where), within=20)
    return owner


async def _wait_ended(account: StripeAccount, subscription: str) -> None:
    async def has_ended() -> bool:
        found = await account.read(f"subscriptions/{subscription}")
        return bool(found["status"] == "canceled")

    await eventually(has_ended, within=20)


async def _remove(team: Team, how: str, *users: User) -> None:
    """As a superuser does, by the account or by the membership, which has other hooks."""
    for user in users:
        path = f"{MEMBERSHIPS}/{(await team.find(user))['id']}"
        if how == "account":
            path = f"{_USERS}/{user.id}"
        await team.dashboard.call("DELETE", path)


@pytest.mark.parametrize("how", ["account", "membership"])
async def test_an_admin_becomes_owner(
    team: Team, how: str, shop: Shop, account: StripeAccount
) -> None:
    """A superuser takes the only owner away: the oldest admin can end what is paid."""
    subscription = await _subscribe(team, shop, account)
    await team.add(await team.frontend.sign_up(), "admin")
    await _remove(team, how, team.owner)
    assert (await _wait_for_owner(team))["user"] == team.admin.id
    payer = f"organizations/{team.id}"
    [change] = await team.dashboard.list("gateway_payer_changes", f"payer = '{payer}'")
    assert change["kind"] == "promoted"
    path = f"/subscriptions/{subscription}/cancel"
    answer = await shop.post(path, team.admin, {"when": "now"})
    assert answer.status_code == 200, answer.text


async def test_the_oldest_member_becomes_owner(
    team: Team, shop: Shop, account: StripeAccount
) -> None:
    """Without an admin, the oldest member; an invited user is skipped."""
    await _subscribe(team, shop, account)
    await team.add(await team.frontend.sign_up())
    await team.invite(await team.frontend.sign_up(), "admin")
    await _remove(team, "membership", team.admin, team.owner)
    assert (await _wait_for_owner(team))["user"] == team.member.id


@pytest.mark.parametrize("how", ["account", "membership"])
async def test_without_members_it_ends(
    team: Team, how: str, shop: Shop, account: StripeAccount
) -> None:
    """A superuser takes all members away: as if the organization was deleted."""
    subscription = await _subscribe(team, shop, account)
    await team.invite(await team.frontend.sign_up())
    await _remove(team, how, team.member, team.admin, team.owner)
    await _wait_ended(account, subscription)
    where = f"organization = '{team.id}'"
    assert await team.dashboard.count("membership_invitations", where) == 0


async def test_the_last_member_may_leave(team: Team, shop: Shop, account: StripeAccount) -> None:
    """The owner leaves when the others have left, and what runs ends; also a second time."""
    subscription = await _subscribe(team, shop, account)
    for user in (team.member, team.admin, team.owner):
        await team.remove(user, by=user)
    await _wait_ended(account, subscription)
    where = f"payer = 'organizations/{team.id}' && kind = 'deleted' && outcome = 'canceled'"
    await team.dashboard.wait_payer_change(where)

    body = {"organization": team.id, "user": team.owner.id, "role": "owner"}
    await team.dashboard.call("POST", MEMBERSHIPS, body)
    await buy(shop, team, team.owner, await offer(account, features="pro"))
    running = f"organization = '{team.id}' && stripe_id != '{subscription}'"
    [row] = await eventually(lambda: team.dashboard.list("subscriptions", running))
    again = str(row["stripe_id"])
    await team.remove(team.owner, by=team.owner)
    await _wait_ended(account, again)


async def test_a_member_in_time_keeps_it(fresh_stack: Callable[..., Stack]) -> None:
    """A user who becomes a member before the cancellation keeps the subscription."""
    stack = fresh_stack()
    async with open_client() as http, open_dashboard(stack.pocketbase) as dashboard:
        account, shop = StripeAccount(http, stack.simulator), Shop(http, stack.gateway.url)
        team = await found_team(dashboard.frontend, dashboard)
        subscription = await _subscribe(team, shop, account)
        stack.gateway.stop()
        await _remove(team, "account", team.member, team.admin, team.owner)
        first = await dashboard.call("POST", _CHECK, {"seen": []})
        assert first == {"promoted": [], "ended": [], "vacant": [team.id]}
        second = await dashboard.call("POST", _CHECK, {"seen": first["vacant"]})
        assert second["ended"] == [team.id]
        user = await dashboard.frontend.sign_up()
        body = {"organization": team.id, "user": user.id, "role": "owner"}
        await dashboard.call("POST", MEMBERSHIPS, body)
        stack.gateway.start()
        stack.gateway.wait_healthy()

        async def is_dropped() -> bool:
            return await dashboard.count("gateway_work", "status = 'cancelled'") == 1

        await eventually(is_dropped, within=20)
        assert await dashboard.count("gateway_payer_changes", "customer != ''") == 0
        assert (await account.read(f"subscriptions/{subscription}"))["status"] == "active"


async def test_what_is_in_order_is_left_alone(
    team: Team, other_team: Team, shop: Shop, account: StripeAccount
) -> None:
    """Organizations with an owner, or that have bought nothing, are none of the check's."""
    await _subscribe(team, shop, account)
    await _remove(other_team, "membership", other_team.owner)
    answer = await team.dashboard.call("POST", _CHECK, {"seen": [team.id, other_team.id]})
    assert answer == {"promoted": [], "ended": [], "vacant": []}
