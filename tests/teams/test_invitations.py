"""Members join by consent: a manager invites, the invited user accepts."""

import asyncio

import pytest

from tests.frontend import User
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount
from tests.teams.team import INVITATIONS, MEMBERSHIPS, ORGANIZATIONS, Team
from tests.teams.test_purchase import BY_MANAGERS, BY_MEMBERS, buy, offer


async def _count(team: Team, user: User) -> int:
    where = f"organization = '{team.id}' && user = '{user.id}'"
    return await team.dashboard.count("memberships", where)


async def _accept(team: Team, invitation: str, user: User) -> int:
    return await team.ask("PATCH", f"{INVITATIONS}/{invitation}", user.token, {"accepted": True})


@pytest.mark.parametrize("role", ["owner", "admin", "member"])
async def test_a_membership_takes_consent(team: Team, role: str) -> None:
    """A manager's create of a membership gives an invitation; its user makes it a membership."""
    user = await team.frontend.sign_up()
    body = {"organization": team.id, "user": user.id, "role": role}
    made = await team.frontend.call("POST", MEMBERSHIPS, token=team.owner.token, body=body)
    assert (made["collectionName"], made["role"], made["accepted"]) == (
        "membership_invitations",
        role,
        False,
    )
    assert await _count(team, user) == 0
    [seen] = await team.frontend.list_records("membership_invitations", token=user.token)
    assert (seen["id"], seen["organization_name"]) == (made["id"], "Acme")
    assert "extra" not in seen
    assert await _accept(team, made["id"], user) == 200
    assert (await team.find(user))["role"] == role
    assert await team.frontend.list_records("membership_invitations", token=user.token) == []


async def test_a_batch_invites_as_well(team: Team) -> None:
    """PocketBase's batch does not bypass consent."""
    user = await team.frontend.sign_up()
    body = {"organization": team.id, "user": user.id, "role": "admin"}
    entry = {"method": "POST", "url": MEMBERSHIPS, "body": body}
    batch = {"requests": [entry]}
    assert await team.ask("POST", "/api/batch", team.owner.token, batch) in (200, 403)
    assert await _count(team, user) == 0


@pytest.mark.parametrize("role", ["owner", "admin"])
async def test_an_invitation_opens_nothing(
    team: Team, role: str, shop: Shop, account: StripeAccount
) -> None:
    """Until it is accepted: no row of the organization, no purchase for it, and no seat."""
    await buy(shop, team, team.owner, await offer(account, features="pro", seats="members"))
    await account.wait_delivered()
    user = await team.frontend.sign_up()
    await team.invite(user, role)
    for collection in (*BY_MEMBERS, *BY_MANAGERS, "organizations", "memberships"):
        assert await team.frontend.list_records(collection, token=user.token) == [], collection
    order = build_order("lifetime", organization=team.id)
    assert (await shop.post("/checkout", user, order)).status_code == 403
    renamed = {"name": "Mine"}
    assert await team.ask("PATCH", f"{ORGANIZATIONS}/{team.id}", user.token, renamed) == 404
    [subscription] = await team.dashboard.list("subscriptions", f"organization = '{team.id}'")
    assert subscription["quantity"] == 3
    assert (await team.dashboard.call("GET", "/api/gateway/seats"))["seats"] == []


async def test_only_the_invited_user_accepts(team: Team, other_team: Team) -> None:
    """Only the invited user accepts, and can't change the offered role."""
    user = await team.frontend.sign_up()
    invitation = await team.invite(user)
    path = f"{INVITATIONS}/{invitation['id']}"
    for other in (team.owner, team.admin, team.member, other_team.owner):
        assert await _accept(team, invitation["id"], other) == 404
    more = {"accepted": True, "role": "owner", "organization": other_team.id}
    assert await team.ask("PATCH", path, user.token, {"role": "owner"}) == 404
    assert await team.ask("PATCH", path, user.token, more) == 200
    assert (await team.find(user))["role"] == "member"
    assert await _count(other_team, user) == 0


async def test_who_may_invite(team: Team, stranger_token: str) -> None:
    """Managers alone, and owners alone for owners, by either collection."""
    user = await team.frontend.sign_up()
    for path in (MEMBERSHIPS, INVITATIONS):
        body = {"organization": team.id, "user": user.id, "role": "member", "accepted": True}
        assert await team.ask("POST", path, stranger_token, body) == 400
        owner = {**body, "role": "owner"}
        assert await team.ask("POST", path, team.admin.token, owner) == 400
    assert await team.dashboard.count("membership_invitations", f"user = '{user.id}'") == 0
    assert await _count(team, user) == 0


async def test_an_invitation_reveals_nothing(team: Team) -> None:
    """The answer is the same whether there is such a user or not, and has nothing of them."""
    user = await team.frontend.sign_up()
    answers = []
    for number, name in enumerate((user.id, "nosuchuser00001")):
        made = await team.frontend.call(
            "POST",
            INVITATIONS,
            token=team.owner.token,
            body={"organization": team.id, "user": name, "role": "member"},
            expand="user",
        )
        del made["id"], made["user"], made["created"]
        answers.append(made)
        assert (
            await team.dashboard.count("membership_invitations", f"organization = '{team.id}'")
            > number
        )
    assert answers[0] == answers[1]
    rows = await team.frontend.list_records("membership_invitations", token=team.member.token)
    assert rows == []


async def test_an_invitation_can_be_taken_back_or_declined(team: Team) -> None:
    """After either it can't be accepted any more; an admin does not touch an owner's."""
    users = [await team.frontend.sign_up() for _ in range(2)]
    first, second = [await team.invite(user, "owner") for user in users]
    assert await team.ask("DELETE", f"{INVITATIONS}/{first['id']}", team.admin.token) == 404
    assert await team.ask("DELETE", f"{INVITATIONS}/{first['id']}", team.owner.token) == 204
    assert await team.ask("DELETE", f"{INVITATIONS}/{second['id']}", users[1].token) == 204
    for invitation, user in ((first, users[0]), (second, users[1])):
        assert await _accept(team, invitation["id"], user) == 404
        assert await _count(team, user) == 0


async def test_two_acceptances_make_one_membership(team: Team) -> None:
    """However often it is accepted at once."""
    user = await team.frontend.sign_up()
    invitation = await team.invite(user)
    statuses = await asyncio.gather(*(_accept(team, invitation["id"], user) for _ in range(4)))
    assert 200 in statuses
    assert await _count(team, user) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [({"role": "boss"}, "role"), ({"user": ""}, "user"), ({"user": "member"}, "user")],
)
async def test_a_wrong_invitation_says_why(team: Team, change: dict[str, str], field: str) -> None:
    """An unknown role, no user, or one who is a member: 400 with a code at the field."""
    body = {"organization": team.id, "user": "somebody0000001", "role": "member"} | change
    if body["user"] == "member":
        body["user"] = team.member.id
    for path in (MEMBERSHIPS, INVITATIONS):
        header = {"Authorization": team.owner.token}
        answer = await team.frontend.http.post(path, json=body, headers=header)
        assert answer.status_code == 400
        assert answer.json()["data"][field]["code"]


async def test_a_superuser_makes_members(team: Team) -> None:
    """The dashboard and the seller's scripts need no consent."""
    user = await team.frontend.sign_up()
    body = {"organization": team.id, "user": user.id, "role": "admin"}
    made = await team.dashboard.call("POST", MEMBERSHIPS, body)
    assert (made["collectionName"], made["user"]) == ("memberships", user.id)


async def test_managers_are_named_roles(team: Team) -> None:
    """A role that a shop adds manages nothing until the shop says so."""
    path = "/api/collections/memberships"
    collection = await team.dashboard.call("GET", path)
    fields = collection["fields"]
    [role] = [field for field in fields if field["name"] == "role"]
    role["values"] = [*role["values"], "viewer"]
    await team.dashboard.call("PATCH", path, {"fields": fields})
    try:
        viewer = await team.frontend.sign_up()
        await team.add(viewer, "viewer")
        renamed = {"name": "Mine"}
        assert await team.ask("PATCH", f"{ORGANIZATIONS}/{team.id}", viewer.token, renamed) == 404
        body = {"organization": team.id, "user": "somebody0000001", "role": "member"}
        assert await team.ask("POST", INVITATIONS, viewer.token, body) == 400
        row = {"stripe_id": f"in_{team.id}", "organization": team.id}
        await team.dashboard.call("POST", "/api/collections/invoices/records", row)
        assert await team.frontend.list_records("invoices", token=viewer.token) == []
        await team.remove(viewer)
    finally:
        role["values"] = ["owner", "admin", "member"]
        await team.dashboard.call("PATCH", path, {"fields": fields})


async def test_an_invitation_ends_with_its_user(team: Team) -> None:
    """The deletion of an account deletes its invitations."""
    user = await team.frontend.sign_up()
    await team.invite(user)
    users = f"/api/collections/users/records/{user.id}"
    assert await team.ask("DELETE", users, user.token) == 204
    assert await team.dashboard.count("membership_invitations", f"user = '{user.id}'") == 0


async def test_further_fields_reach_the_membership(team: Team) -> None:
    """A shop's own fields of `memberships` are kept from the invitation to the acceptance."""
    path = "/api/collections/memberships"
    collection = await team.dashboard.call("GET", path)
    added = [*collection["fields"], {"name": "title", "type": "text"}]
    await team.dashboard.call("PATCH", path, {"fields": added})
    try:
        user = await team.frontend.sign_up()
        body = {"organization": team.id, "user": user.id, "role": "member", "title": "Chef"}
        made = await team.frontend.call("POST", MEMBERSHIPS, token=team.owner.token, body=body)
        assert await _accept(team, made["id"], user) == 200
        assert (await team.find(user))["title"] == "Chef"
    finally:
        await team.dashboard.call("PATCH", path, {"fields": collection["fields"]})
