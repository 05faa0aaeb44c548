"""A user who has bought nothing."""

import pytest

from stack.stack import Stack
from tests.frontend import User
from tests.visitor import sign_up_visitor


@pytest.fixture(scope="session")
def visitor(stack: Stack) -> User:
    """Somebody signed in who has no customer."""
    return sign_up_visitor(stack.pocketbase.url)
