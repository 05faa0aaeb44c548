"""A further gateway beside this folder's PocketBase, which then asks it instead."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack


@contextmanager
def start_beside(stack: Stack, folder: Path, **changed: str) -> Iterator[GatewayProcess]:
    """Run a gateway with other settings until the context ends; then the stack's own is asked."""
    gateway = GatewayProcess(
        pick_free(),
        log=folder / "gateway.log",
        pocketbase=stack.pocketbase,
        stripe=stack.plan.stripe,
        frontend_origins=stack.plan.frontend_origins,
        env={
            **stack.plan.gateway_env,
            "GATEWAY_HOOK_SECRETS": stack.plan.hook_secrets,
            **changed,
        },
    )
    gateway.start()
    try:
        gateway.wait_healthy()
        yield gateway
    finally:
        gateway.stop()
        stack.gateway.restart()
        stack.gateway.wait_ready()
