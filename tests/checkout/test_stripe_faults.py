"""Faults of Stripe: a purchase is made once, or the response has Retry-After."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.deadline import eventually
from tests.frontend import Frontend, User
from tests.problem import read_problem
from tests.second_gateway import run_second_gateway
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount

_STEPS = ("/v1/customers", "/v1/checkout/sessions")
#: Faults that pass if they happen once.
_PASSING = {
    "500": {"status": 500},
    "503": {"status": 503},
    "reset before it acted": {"reset": "before"},
    "reset after it acted": {"reset": "after"},
    "too slow, after it acted": {"reset": "after", "hang_ms": 3500},
}
#: The status and slug of the response if the fault stays.
_LASTING = {
    "409": ({"status": 409}, 503, "stripe-unavailable"),
    "429": ({"status": 429}, 503, "stripe-unavailable"),
    "500": ({"status": 500}, 502, "stripe-failed"),
    "reset before it acted": ({"reset": "before"}, 503, "stripe-unavailable"),
    "reset after it acted": ({"reset": "after"}, 503, "stripe-unavailable"),
    "too slow, after it acted": ({"reset": "after", "hang_ms": 3500}, 504, "stripe-too-slow"),
}


@pytest.fixture(scope="module")
def hasty_gateway(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """A gateway that waits three seconds for Stripe."""
    log = tmp_path_factory.mktemp("hasty") / "gateway.log"
    with run_second_gateway(stack, log, GATEWAY_UPSTREAM_TIMEOUT="3") as gateway:
        yield gateway


@pytest.fixture
def hasty_shop(hasty_gateway: GatewayProcess, http: httpx.AsyncClient) -> Shop:
    """The shop of that gateway."""
    return Shop(http, hasty_gateway.url)


@pytest_asyncio.fixture(autouse=True)
async def heal(account: StripeAccount, http: httpx.AsyncClient) -> AsyncIterator[None]:
    """Leave no fault behind."""
    yield
    await account.clear_faults()


async def _count(account: StripeAccount, user: User) -> tuple[int, int]:
    """How many customers and open sessions of the user there are at Stripe."""
    customers = [
        each
        for each in await account.list("customers")
        if each["metadata"].get("pocketbase_user") == user.id
    ]
    sessions = [
        each
        for each in await account.list("checkout/sessions")
        if each["client_reference_id"] == user.id and each["status"] == "open"
    ]
    return len(customers), len(sessions)


@pytest.mark.parametrize("path", _STEPS)
@pytest.mark.parametrize("name", _PASSING)
async def test_what_passes_is_not_noticed(
    name: str, path: str, user: User, hasty_shop: Shop, account: StripeAccount
) -> None:
    """One fault, and the purchase is made all the same, with one customer and one session."""
    fault: dict[str, Any] = _PASSING[name]
    await account.control("faults", method="POST", path=path, **fault)
    await hasty_shop.check_out(user, "pro_monthly")
    assert await _count(account, user) == (1, 1)


@pytest.mark.parametrize("path", _STEPS)
@pytest.mark.parametrize("name", _LASTING)
async def test_what_lasts_is_told(
    name: str, path: str, user: User, hasty_shop: Shop, account: StripeAccount
) -> None:
    """The response has Retry-After; the retry finds one customer and one session."""
    fault, status, slug = _LASTING[name]
    await account.control("faults", method="POST", path=path, times=-1, **fault)
    answer = await hasty_shop.post("/checkout", user, build_order("pro_monthly"))
    read_problem(answer, status, slug)
    assert int(answer.headers["retry-after"]) > 0
    await account.clear_faults()

    async def can_buy() -> bool:
        again = await hasty_shop.post("/checkout", user, build_order("pro_monthly"))
        return again.status_code == 200

    await eventually(can_buy, within=30)
    assert await _count(account, user) == (1, 1)


async def test_a_slow_stripe_is_waited_for(
    user: User, hasty_shop: Shop, account: StripeAccount
) -> None:
    """A slow answer within the timeout is used."""
    await account.control("faults", method="POST", path="/v1/", delay_ms=1000, times=2)
    await hasty_shop.check_out(user, "lifetime")
    assert await _count(account, user) == (1, 1)


async def test_the_way_back_tells_too(
    user: User, frontend: Frontend, hasty_shop: Shop, account: StripeAccount
) -> None:
    """A read that fails for good is told as well, and can be asked again."""
    session = await hasty_shop.check_out(user, "lifetime")
    await account.control("faults", method="GET", path="/v1/checkout", status=500, times=3)
    answer = await hasty_shop.come_back(user, session["id"])
    read_problem(answer, 502, "stripe-failed")
    assert int(answer.headers["retry-after"]) > 0
    assert (await hasty_shop.come_back(user, session["id"])).status_code == 200
