"""PocketBase and two gateways; their Stripe runs in this process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvicorn

from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.convergence.account import Account
from tests.convergence.deliverer import Deliverer
from tests.convergence.loop import Loop
from tests.convergence.mirror import Mirror
from tests.deadline import wait_until
from tests.second_gateway import build_second_gateway


@dataclass(frozen=True)
class Bench:
    """The stack for all histories; their ids differ."""

    stack: Stack
    account: Account
    mirror: Mirror
    #: Delivers to both gateways by turns.
    deliverer: Deliverer
    #: Deliver to the one and the other.
    deliverers: tuple[Deliverer, Deliverer]
    loop: Loop
    http: aiohttp.ClientSession

    def patch_user(self, user: str, values: dict[str, object]) -> None:
        """Change a PocketBase user as a superuser does in the dashboard."""
        self.loop.run(self._patch_user(user, values))

    async def _patch_user(self, user: str, values: dict[str, object]) -> None:
        part = self.stack.pocketbase
        credentials = {"identity": part.superuser_email, "password": part.superuser_password}
        login = f"{part.url}/api/collections/_superusers/auth-with-password"
        async with self.http.post(login, json=credentials) as answer:
            token = (await answer.json())["token"]
        record = f"{part.url}/api/collections/users/records/{user}"
        headers = {"Authorization": token}
        async with self.http.patch(record, json=values, headers=headers) as answer:
            assert answer.status == 200, await answer.text()


@contextmanager
def running(folder: Path) -> Iterator[Bench]:
    """Run all parts until the block ends."""
    stack = Stack(plan_throwaway(folder))
    replica = build_second_gateway(stack, folder / "log" / "replica.log")
    parts = (stack.pocketbase, stack.gateway, replica)
    account, loop = Account(), Loop()
    server = _build_server(account, stack.plan.ports.simulator)
    serving = loop.start(server.serve())
    http = loop.run(_open_session())
    try:
        wait_until(lambda: server.started)
        stack.pocketbase.ensure_superuser(replace=True)
        for part in parts:
            part.start()
            part.wait_healthy()
        mirror = Mirror(stack.pocketbase.data_dir)
        secret = stack.plan.stripe.webhook_secrets[0]
        count = mirror.count_unresolved
        one, other = (Deliverer(http, [part.url], secret, count) for part in parts[1:])
        both = Deliverer(http, [part.url for part in parts[1:]], secret, count)
        yield Bench(stack, account, mirror, both, (one, other), loop, http)
        mirror.close()
    finally:
        for part in reversed(parts):
            part.stop()
        loop.run(http.close())
        server.should_exit = True
        serving.result(10)
        loop.close()


async def _open_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


def _build_server(account: Callable[..., object], port: int) -> uvicorn.Server:
    """Stripe on a port, with its own Date header."""
    return uvicorn.Server(
        uvicorn.Config(account, port=port, log_level="critical", date_header=False, lifespan="off")
    )
