"""A user who buys from the shared stack."""

import pytest_asyncio

from tests.dashboard import Dashboard
from tests.delivery import Sender
from tests.entitlements.purchases import Purchases
from tests.frontend import Frontend


@pytest_asyncio.fixture
async def purchases(sender: Sender, dashboard: Dashboard, frontend: Frontend) -> Purchases:
    """Sells to a new user with a customer's row in PocketBase."""
    purchases = Purchases(sender, dashboard, (await frontend.sign_up()).id)
    await purchases.open()
    return purchases
