"""PocketBase and a gateway whose Stripe is a world in this process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvicorn

from stack.plan import plan_throwaway
from stack.stack import Stack
from tests.convergence.account import Account
from tests.convergence.courier import Courier
from tests.convergence.loop import Loop
from tests.convergence.mirror import Mirror
from tests.deadline import wait_until


@dataclass(frozen=True)
class Bench:
    """What histories are played on; their ids differ."""

    stack: Stack
    account: Account
    mirror: Mirror
    courier: Courier
    loop: Loop


@contextmanager
def running(folder: Path) -> Iterator[Bench]:
    """Run all parts until the block ends."""
    stack = Stack(plan_throwaway(folder))
    account, loop = Account(), Loop()
    server = _build_server(account, stack.plan.ports.simulator)
    serving = loop.start(server.serve())
    http = loop.run(_open_session())
    try:
        wait_until(lambda: server.started)
        stack.pocketbase.ensure_superuser(replace=True)
        for part in (stack.pocketbase, stack.gateway):
            part.start()
            part.wait_healthy()
        mirror = Mirror(stack.pocketbase.data_dir)
        secret = stack.plan.stripe.webhook_secrets[0]
        yield Bench(stack, account, mirror, Courier(http, [stack.gateway.url], secret), loop)
        mirror.close()
    finally:
        stack.pocketbase.stop()
        stack.gateway.stop()
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
