"""Rules of PocketBase let a team's members use what the team has bought: the example project."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import ROOT
from gateway.dev.stack import Stack
from tests.dashboard import open_dashboard
from tests.frontend import User
from tests.teams.team import Team, found_team

_EXAMPLE = ROOT / "examples" / "pb_migrations"
_PLANS = "/api/collections/plans/records"
_ENTITLEMENTS = "/api/collections/entitlements/records"
_PAST, _FUTURE = "2020-01-01 00:00:00.000Z", "9999-12-31 23:59:59.999Z"


@pytest.fixture(scope="module")
def stack_with_plans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PocketBase with the example's collections."""
    plan = plan_throwaway(tmp_path_factory.mktemp("plans"))
    stack = Stack(replace(plan, migrations=(_EXAMPLE,)))
    stack.pocketbase.copy_migrated()
    stack.pocketbase.ensure_superuser()
    try:
        stack.pocketbase.start()
        stack.pocketbase.wait_healthy()
        yield stack
    finally:
        stack.pocketbase.stop()


async def _write(team: Team, user: User) -> int:
    body = {"organization": team.id, "title": "Q3"}
    return await team.ask("POST", _PLANS, user.token, body)


async def _count_tips(team: Team, user: User) -> int:
    return len(await team.frontend.list_records("tips", token=user.token))


async def test_members_use_what_their_team_has(stack_with_plans: Stack) -> None:
    """Only members, only while the row says so, and a member who is removed no more, at once."""
    async with open_dashboard(stack_with_plans.pocketbase) as dashboard:
        frontend = dashboard.frontend
        team, other = [await found_team(frontend, dashboard) for _ in range(2)]
        await dashboard.call("POST", "/api/collections/tips/records", {"title": "Sleep"})
        assert await _write(team, team.member) == 400

        # Neither another feature of the team nor another team's `pro` adds up to it.
        for owner, feature, end in ((team, "export", _FUTURE), (team, "pro", _PAST)):
            body = {"organization": owner.id, "feature": feature, "active_until": end}
            row = await dashboard.call("POST", _ENTITLEMENTS, body)
        await dashboard.call(
            "POST",
            _ENTITLEMENTS,
            {"organization": other.id, "feature": "pro", "active_until": _FUTURE},
        )
        assert await _write(team, team.member) == 400
        assert await _count_tips(team, team.member) == 0

        one = f"{_ENTITLEMENTS}/{row['id']}"
        await dashboard.call("PATCH", one, {"active_until": _FUTURE})
        assert await _write(team, team.member) == 200
        assert await _write(team, other.owner) == 400
        assert await _count_tips(team, team.member) == 1

        await team.remove(team.member)
        assert await _write(team, team.member) == 400
        assert await _count_tips(team, team.member) == 0


async def test_tips_for_who_has_bought_alone(stack_with_plans: Stack) -> None:
    """A user's own entitlement gives access, another user's does not."""
    async with open_dashboard(stack_with_plans.pocketbase) as dashboard:
        frontend = dashboard.frontend
        user, other = await frontend.sign_up(), await frontend.sign_up()
        await dashboard.call("POST", "/api/collections/tips/records", {"title": "Eat"})
        body = {"user": user.id, "feature": "pro", "active_until": _FUTURE}
        await dashboard.call("POST", _ENTITLEMENTS, body)
        assert await frontend.list_records("tips", token=user.token)
        assert await frontend.list_records("tips", token=other.token) == []
