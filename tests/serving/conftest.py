"""A user who has bought nothing."""

import pytest

from gateway.dev.stack import Stack
from tests.frontend import User
from tests.user_without_purchase import sign_up_without_purchase


@pytest.fixture(scope="session")
def user_without_purchase(stack: Stack) -> User:
    """A signed-in user without a customer."""
    return sign_up_without_purchase(stack.pocketbase.url)
