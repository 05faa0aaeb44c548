"""The seller's settings: days of grace, and what a refund takes."""

from collections.abc import Callable

import pytest

from gateway.dev.errors import StackError
from gateway.dev.stack import Stack
from tests.entitlements.purchases import DAY, open_purchases, write_time


async def test_settings_of_the_seller(fresh_stack: Callable[..., Stack]) -> None:
    """GATEWAY_GRACE_DAYS bears a failed renewal, GATEWAY_ON_REFUND lets keep what was refunded."""
    stack = fresh_stack(GATEWAY_GRACE_DAYS="2.5", GATEWAY_ON_REFUND="keep")
    async with open_purchases(stack) as purchases:
        await purchases.subscribe(await purchases.add_product(features="pro"), status="past_due")
        assert await purchases.read_end() == write_time(purchases.now + 2.5 * DAY)

        session = purchases.build_session(
            await purchases.add_price(await purchases.add_product(features="once"))
        )
        await purchases.tell("checkout.session.completed", session)
        charge = purchases.build_charge(session["payment_intent"], refunded=True)
        await purchases.tell("charge.refunded", charge)
        assert await purchases.read_end("once") == "9999-12-31 23:59:59.999Z"


@pytest.mark.parametrize(
    ("name", "text"), [("GATEWAY_GRACE_DAYS", "a week"), ("GATEWAY_ON_REFUND", "perhaps")]
)
def test_a_wrong_setting_stops_the_start(
    fresh_stack: Callable[..., Stack], name: str, text: str
) -> None:
    """PocketBase does not start, and its log names the variable."""
    stack = fresh_stack(start=False, **{name: text})
    stack.pocketbase.ensure_superuser()
    stack.pocketbase.start()
    with pytest.raises(StackError, match="PocketBase ended"):
        stack.pocketbase.wait_healthy()
    assert f"{name} must be" in stack.pocketbase.log.read_text()
