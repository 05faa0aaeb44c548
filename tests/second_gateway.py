"""Further gateways beside the PocketBase of a stack."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack


def inherit_settings(stack: Stack, **changed: str) -> dict[str, str]:
    """Return the settings that the stack's own gateway was given, some of them changed."""
    given = {**stack.plan.gateway_env, "GATEWAY_HOOK_SECRETS": stack.plan.hook_secrets}
    return given | changed


def build_second_gateway(stack: Stack, log: Path, **settings: str) -> GatewayProcess:
    """Describe a gateway beside the stack's PocketBase, with these settings and no others."""
    gateway = GatewayProcess(
        pick_free(),
        log=log,
        pocketbase=stack.pocketbase,
        stripe=stack.plan.stripe,
        frontend_origins=stack.plan.frontend_origins,
    )
    gateway.env |= settings
    return gateway


@contextmanager
def started(gateway: GatewayProcess) -> Iterator[GatewayProcess]:
    """Start a gateway, wait until it is healthy, and stop it when the context ends."""
    try:
        gateway.start()
        gateway.wait_healthy()
        yield gateway
    finally:
        gateway.stop()


@contextmanager
def run_second_gateway(stack: Stack, log: Path, **settings: str) -> Iterator[GatewayProcess]:
    """Run a gateway beside the stack's PocketBase until the context ends."""
    with started(build_second_gateway(stack, log, **settings)) as gateway:
        yield gateway


@contextmanager
def run_in_place(stack: Stack, folder: Path, **changed: str) -> Iterator[GatewayProcess]:
    """Run a gateway with changed settings, which PocketBase calls until the context ends."""
    settings = inherit_settings(stack, **changed)
    try:
        with run_second_gateway(stack, folder / "gateway.log", **settings) as gateway:
            yield gateway
    finally:
        stack.gateway.restart()
        stack.gateway.wait_ready()
