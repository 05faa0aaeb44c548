"""The real parts for every test: PocketBase, the gateway and the Stripe simulator as processes."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import pytest
import pytest_asyncio

from stack.plan import plan_throwaway
from stack.stack import Stack
from tests.frontend import Frontend


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Running parts that all tests of this worker share: leave them running and as they were."""
    with Stack(plan_throwaway(tmp_path_factory.mktemp("stack"))) as running:
        yield running


@pytest.fixture
def fresh_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stack]]:
    """Start parts of one's own, to kill, pause or fill: `fresh_stack(GATEWAY_LOG_LEVEL="DEBUG")`.

    With `start=False` nothing is started; what the test starts is ended all the same.
    """
    with ExitStack() as ends:

        def make(*, start: bool = True, **gateway_env: str) -> Stack:
            made = Stack(plan_throwaway(tmp_path_factory.mktemp("stack"), gateway_env))
            ends.callback(made.stop)
            if start:
                made.start()
            return made

        yield make


@pytest_asyncio.fixture
async def frontend(stack: Stack) -> AsyncIterator[Frontend]:
    """A browser's view of the shared PocketBase."""
    async with Frontend(stack.pocketbase.url) as client:
        yield client
