"""Plain, synchronous requests to the shared PocketBase, as whoever they come from."""

from collections.abc import Iterator

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.frontend import User
from tests.superuser import log_in_superuser
from tests.user_without_purchase import sign_up_without_purchase


@pytest.fixture(scope="module")
def records(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the collections' API."""
    url = f"{stack.pocketbase.url}/api/collections"
    with httpx.Client(base_url=url, trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture(scope="module")
def root(stack: Stack) -> dict[str, str]:
    """The superuser's header."""
    return {"Authorization": log_in_superuser(stack.pocketbase)}


@pytest.fixture(scope="module")
def owner(stack: Stack) -> User:
    """The user whom the rows belong to."""
    return sign_up_without_purchase(stack.pocketbase.url)


@pytest.fixture(scope="module")
def other(stack: Stack) -> User:
    """Another user."""
    return sign_up_without_purchase(stack.pocketbase.url)
