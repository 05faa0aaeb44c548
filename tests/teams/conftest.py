"""Organizations and their members on the shared stack."""

import pytest
import pytest_asyncio

from tests.dashboard import Dashboard
from tests.frontend import Frontend
from tests.teams.team import Team, found_team


@pytest_asyncio.fixture
async def team(frontend: Frontend, dashboard: Dashboard) -> Team:
    """An organization with an owner, an admin, and a plain member."""
    return await found_team(frontend, dashboard)


@pytest_asyncio.fixture
async def other_team(frontend: Frontend, dashboard: Dashboard) -> Team:
    """Another one, with other people."""
    return await found_team(frontend, dashboard)


@pytest.fixture(params=["a guest", "a plain member", "an owner of another"])
def stranger_token(request: pytest.FixtureRequest, team: Team, other_team: Team) -> str:
    """The token of each who may not manage the team."""
    tokens = {
        "a guest": "",
        "a plain member": team.member.token,
        "an owner of another": other_team.owner.token,
    }
    return tokens[request.param]
