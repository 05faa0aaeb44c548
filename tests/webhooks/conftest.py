"""Counts that show that nothing was written."""

from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio

from tests.dashboard import Dashboard
from tests.stripe_account import StripeAccount

CountRows = Callable[[], Awaitable[dict[str, int]]]
_WATCHED = ("stripe_events", "subscriptions")


@pytest.fixture
def count_rows(dashboard: Dashboard) -> CountRows:
    """Count the inbox and the rows that the test's events would change."""

    async def count() -> dict[str, int]:
        return {name: await dashboard.count(name) for name in _WATCHED}

    return count


@pytest_asyncio.fixture
async def counted(account: StripeAccount, count_rows: CountRows) -> dict[str, int]:
    """The rows before the test, once no other test's events are on their way."""
    await account.wait_delivered()
    return await count_rows()
