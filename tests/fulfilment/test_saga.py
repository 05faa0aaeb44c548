"""The saga of examples/fulfilment: two services that refuse, fail and lose answers; kills."""

from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import httpx
import pytest

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import ROOT
from gateway.dev.stack import Stack
from tests.deadline import eventually
from tests.fulfilment.service import FakeService, run_service
from tests.shop import Shop
from tests.user_without_purchase import sign_up_without_purchase


@pytest.fixture(scope="module")
def services() -> Iterator[dict[str, FakeService]]:
    """The warehouse and the carrier."""
    with run_service() as warehouse, run_service() as carrier:
        yield {"warehouse": warehouse, "carrier": carrier}


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, services: dict[str, FakeService]
) -> Iterator[Stack]:
    """PocketBase, the simulator and a gateway with the example."""
    env = {
        "GATEWAY_APP": "fulfilment.app:app",
        "SHOP_WAREHOUSE_URL": services["warehouse"].url,
        "SHOP_CARRIER_URL": services["carrier"].url,
    }
    made = Stack(plan_throwaway(tmp_path_factory.mktemp("fulfilment"), env))
    made.gateway.cwd = ROOT / "examples"
    with made as running:
        running.gateway.wait_ready()
        yield running


@pytest.fixture
def warehouse(services: dict[str, FakeService]) -> FakeService:
    """The warehouse, without effects so far."""
    services["warehouse"].effects.clear()
    return services["warehouse"]


@pytest.fixture
def carrier(services: dict[str, FakeService]) -> FakeService:
    """The carrier, without effects so far."""
    services["carrier"].effects.clear()
    services["carrier"].refusal = ""
    services["carrier"].calls = 0
    return services["carrier"]


class _Orders:
    """Starts the job and reads it, as a superuser."""

    def __init__(self, http: httpx.AsyncClient, url: str, token: str) -> None:
        self._http = http
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    async def start(self) -> str:
        order = {"id": token_hex(6), "sku": "box", "quantity": 2, "country": "DE"}
        answer = await self._http.post(
            f"{self._url}/jobs/fulfil", json=order, headers=self._headers
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def wait(self, id: str) -> Any:
        """Return the result."""

        async def find() -> Any:
            try:
                answer = await self._http.get(f"{self._url}/jobs/{id}", headers=self._headers)
            except httpx.TransportError:
                return None
            return answer.json().get("result") if answer.is_success else None

        return await eventually(find, within=120)


@pytest.fixture
def orders(http: httpx.AsyncClient, stack: Stack, superuser_token: str) -> _Orders:
    """The jobs of the shared gateway."""
    return _Orders(http, stack.gateway.url, superuser_token)


async def test_an_order_is_shipped(
    orders: _Orders, warehouse: FakeService, carrier: FakeService
) -> None:
    """Both services have one effect."""
    found = await orders.wait(await orders.start())
    assert found == {"status": "shipped", "tracking": "T0", "reason": ""}
    assert (warehouse.count("/reservations"), carrier.count("/shipments")) == (1, 1)
    assert warehouse.count("/release") == 0


async def test_a_refusal_undoes_what_was_done(
    orders: _Orders, warehouse: FakeService, carrier: FakeService
) -> None:
    """The carrier refuses, and the goods are released."""
    carrier.refusal = "no service to this country"
    found = await orders.wait(await orders.start())
    assert found["status"] == "refused"
    assert found["reason"] == "no service to this country"
    assert (warehouse.count("/reservations"), warehouse.count("/release")) == (1, 1)


async def test_lost_answers_and_failures_are_repeated_with_the_same_key(
    orders: _Orders, warehouse: FakeService, carrier: FakeService
) -> None:
    """A reservation whose answer is lost and a carrier that fails lead to one effect each."""
    warehouse.lost_answers = 1
    carrier.failures = 1
    found = await orders.wait(await orders.start())
    assert found["status"] == "shipped"
    assert (warehouse.count("/reservations"), carrier.count("/shipments")) == (1, 1)
    assert carrier.calls == 2


async def test_a_started_compensation_is_finished(
    orders: _Orders, warehouse: FakeService, carrier: FakeService
) -> None:
    """After a refusal the carrier is not asked again, even if the release fails at first."""
    carrier.is_open.clear()
    id = await orders.start()
    await eventually(lambda: _has_calls(carrier, 1))
    carrier.refusal = "closed today"
    warehouse.failures = 1
    carrier.is_open.set()
    await eventually(lambda: _has_failed(warehouse))
    carrier.refusal = ""
    assert (await orders.wait(id))["status"] == "refused"
    assert carrier.count("/shipments") == 0
    assert warehouse.count("/release") == 1


async def _has_calls(service: FakeService, number: int) -> bool:
    return service.calls >= number


async def _has_failed(service: FakeService) -> bool:
    return service.failures == 0


async def test_a_killed_gateway_continues_the_saga(
    stack: Stack, orders: _Orders, warehouse: FakeService, carrier: FakeService
) -> None:
    """The gateway is killed while the carrier works; another attempt books no second shipment."""
    carrier.is_open.clear()
    id = await orders.start()
    await eventually(lambda: _has_calls(carrier, 1))
    stack.gateway.kill()
    carrier.is_open.set()
    stack.gateway.restart()
    assert (await orders.wait(id))["status"] == "shipped"
    assert (warehouse.count("/reservations"), carrier.count("/shipments")) == (1, 1)


async def test_a_purchase_starts_the_saga(
    stack: Stack, shop: Shop, warehouse: FakeService, carrier: FakeService
) -> None:
    """The event handler of a paid Checkout starts one job."""
    user = sign_up_without_purchase(stack.pocketbase.url)
    await shop.pay(await shop.check_out(user, "lifetime"))

    async def is_shipped() -> bool:
        return carrier.count("/shipments") == 1

    await eventually(is_shipped, within=30)
    assert warehouse.count("/reservations") == 1
