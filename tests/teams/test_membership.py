"""Members of organizations, and who may change them."""

import asyncio

import httpx
import pytest

from tests.frontend import Frontend, User
from tests.teams.team import MEMBERSHIPS, ORGANIZATIONS, Team

pytestmark = pytest.mark.usefixtures("team")


async def test_whoever_makes_one_owns_it(team: Team) -> None:
    """With the organization comes the membership of its owner."""
    assert (await team.find(team.owner))["role"] == "owner"


async def test_a_guest_makes_none(team: Team) -> None:
    """It takes an account."""
    assert await team.ask("POST", ORGANIZATIONS, "", {"name": "Nobody's"}) == 400


@pytest.mark.parametrize("role", ["owner", "admin", "member"])
async def test_nobody_joins_by_themselves(team: Team, stranger_token: str, role: str) -> None:
    """Neither an outsider nor a plain member can add members, in any role."""
    for user in (team.member, await team.frontend.sign_up()):
        body = {"organization": team.id, "user": user.id, "role": role}
        assert await team.ask("POST", MEMBERSHIPS, stranger_token, body) in (400, 403)


async def test_an_outsider_can_not_make_themselves_owner(team: Team) -> None:
    """A new membership does not count in its own favour, nor with an id or by batch."""
    outsider = await team.frontend.sign_up()
    body = {"organization": team.id, "user": outsider.id, "role": "owner"}
    for each in (body, {**body, "id": "abcdefghijklmno"}):
        assert await team.ask("POST", MEMBERSHIPS, outsider.token, each) == 400
    entry = {"method": "POST", "url": MEMBERSHIPS, "body": body}
    status = await team.ask("POST", "/api/batch", outsider.token, {"requests": [entry]})
    assert status in (400, 403)
    assert await team.dashboard.count("memberships", f"user = '{outsider.id}'") == 0


async def test_an_admin_adds_members_and_no_owners(team: Team) -> None:
    """Only an owner can make a new or present member an owner."""
    await team.add(await team.frontend.sign_up(), "admin", by=team.admin)
    body = {"organization": team.id, "role": "owner", "user": (await team.frontend.sign_up()).id}
    assert await team.ask("POST", MEMBERSHIPS, team.admin.token, body) == 400
    for user in (team.admin, team.member):
        path = f"{MEMBERSHIPS}/{(await team.find(user))['id']}"
        assert await team.ask("PATCH", path, team.admin.token, {"role": "owner"}) == 404
    path = f"{MEMBERSHIPS}/{(await team.find(team.admin))['id']}"
    assert await team.ask("PATCH", path, team.owner.token, {"role": "owner"}) == 200


@pytest.mark.parametrize(
    "body",
    [{"role": ["owner"]}, {"role": ["member", "owner"]}, {"role+": "owner"}, {"+role": "owner"}],
    ids=str,
)
async def test_no_spelling_makes_an_owner(team: Team, body: dict[str, object]) -> None:
    """PocketBase reads a role in several ways; an admin makes no owner by any of them."""
    for user in (team.admin, team.member):
        await team.ask(
            "PATCH", f"{MEMBERSHIPS}/{(await team.find(user))['id']}", team.admin.token, body
        )
        assert (await team.find(user))["role"] != "owner"


@pytest.mark.parametrize("spelling", ["organization+", "+organization", "a list"])
async def test_no_spelling_moves_a_membership(team: Team, other_team: Team, spelling: str) -> None:
    """An owner can't move their membership to another organization."""
    mine = f"{MEMBERSHIPS}/{(await other_team.find(other_team.owner))['id']}"
    body = {spelling: team.id} if spelling != "a list" else {"organization": [team.id]}
    await team.ask("PATCH", mine, other_team.owner.token, body)
    where = f"organization = '{team.id}' && user = '{other_team.owner.id}'"
    assert await team.dashboard.count("memberships", where) == 0


async def test_an_admin_can_not_touch_an_owner(team: Team) -> None:
    """Neither demote nor remove one."""
    path = f"{MEMBERSHIPS}/{(await team.find(team.owner))['id']}"
    assert await team.ask("PATCH", path, team.admin.token, {"role": "member"}) == 404
    assert await team.ask("DELETE", path, team.admin.token) == 404


async def test_a_membership_stays_that_persons(team: Team, other_team: Team) -> None:
    """It can't be given to another user or moved to another organization."""
    path = f"{MEMBERSHIPS}/{(await team.find(team.member))['id']}"
    for body in ({"user": team.admin.id}, {"organization": other_team.id}):
        assert await team.ask("PATCH", path, team.owner.token, body) == 404
    mine = f"{MEMBERSHIPS}/{(await other_team.find(other_team.owner))['id']}"
    body = {"organization": team.id}
    assert await team.ask("PATCH", mine, other_team.owner.token, body) == 404


async def test_a_plain_member_changes_nothing(team: Team, stranger_token: str) -> None:
    """They can change neither the organization nor a role."""
    assert (
        await team.ask("PATCH", f"{ORGANIZATIONS}/{team.id}", stranger_token, {"name": "x"}) == 404
    )
    for user in (team.owner, team.member):
        path = f"{MEMBERSHIPS}/{(await team.find(user))['id']}"
        assert await team.ask("PATCH", path, stranger_token, {"role": "admin"}) == 404
    path = f"{MEMBERSHIPS}/{(await team.find(team.admin))['id']}"
    assert await team.ask("DELETE", path, stranger_token) == 404


@pytest.mark.parametrize(("who", "status"), [("owner", 204), ("admin", 404), ("member", 404)])
async def test_owners_delete_an_organization(team: Team, who: str, status: int) -> None:
    """Neither admins nor plain members do; its memberships and invitations go with it."""
    user: User = getattr(team, who)
    await team.invite(await team.frontend.sign_up())
    assert await team.ask("DELETE", f"{ORGANIZATIONS}/{team.id}", user.token) == status
    where = f"organization = '{team.id}'"
    for collection, count in (("memberships", 3), ("membership_invitations", 1)):
        left = count if status == 404 else 0
        assert await team.dashboard.count(collection, where) == left


async def test_members_see_each_other(team: Team, other_team: Team) -> None:
    """Others see neither them nor the organization."""
    for user, count in ((team.member, 3), (other_team.owner, 0)):
        for collection, filter in (("memberships", "organization"), ("organizations", "id")):
            rows = await team.frontend.list_records(
                collection, token=user.token, filter=f"{filter} = '{team.id}'"
            )
            assert len(rows) == (count if collection == "memberships" else min(count, 1))


async def test_anybody_may_leave_but_the_last_owner(team: Team) -> None:
    """An organization keeps an owner, also when two leave at once."""
    await team.remove(team.member, by=team.member)
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        await team.remove(team.owner, by=team.owner)
    path = f"{MEMBERSHIPS}/{(await team.find(team.owner))['id']}"
    assert await team.ask("PATCH", path, team.owner.token, {"role": "member"}) == 400
    second = await team.frontend.sign_up()
    await team.add(second, "owner")
    leaving = [team.remove(each, by=each) for each in (team.owner, second)]
    done = await asyncio.gather(*leaving, return_exceptions=True)
    assert sum(isinstance(each, httpx.HTTPStatusError) for each in done) == 1
    where = f"organization = '{team.id}' && role = 'owner'"
    assert await team.dashboard.count("memberships", where) == 1


async def test_a_batch_is_one_creation(frontend: Frontend) -> None:
    """After a failed batch, neither the organization nor its owner exists."""
    user = await frontend.sign_up()
    bad = {"method": "POST", "url": ORGANIZATIONS, "body": {"name": ""}}
    good = {"method": "POST", "url": ORGANIZATIONS, "body": {"name": "Batch"}}
    headers = {"Authorization": user.token}
    answer = await frontend.http.post("/api/batch", json={"requests": [good, bad]}, headers=headers)
    assert answer.status_code in (400, 403)
    assert await frontend.list_records("organizations", token=user.token) == []
