"""A user who buys from the shared stack."""

import pytest_asyncio

from tests.dashboard import Dashboard
from tests.delivery import Sender
from tests.entitlements.till import Till
from tests.frontend import Frontend


@pytest_asyncio.fixture
async def till(sender: Sender, dashboard: Dashboard, frontend: Frontend) -> Till:
    """Sells to a new user whose customer PocketBase knows."""
    till = Till(sender, dashboard, (await frontend.sign_up()).id)
    await till.open()
    return till
