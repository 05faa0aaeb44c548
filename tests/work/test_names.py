"""Names of the gateway's own handlers."""

import pytest

from gateway.checkout.close_page import CLOSE_PAGE
from gateway.customers.sync import SYNC
from gateway.mirror.event_change import RESOLVE
from gateway.reconcile.background import RECONCILE
from gateway.work.parts import MOVE_ROWS, RECOMPUTE


@pytest.mark.parametrize("name", [CLOSE_PAGE, MOVE_ROWS, RECOMPUTE, RECONCILE, RESOLVE, SYNC])
def test_a_function_of_the_app_can_not_have_the_name(name: str) -> None:
    """A team's functions are stored as ``module.function``, and `gateway` is not its module."""
    assert name.startswith("gateway.")
