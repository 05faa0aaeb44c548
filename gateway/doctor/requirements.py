"""Needs of checks: without one a check is skipped, and the reason names the failing check."""

from collections.abc import Awaitable, Callable
from typing import Literal

import httpx2

from gateway.doctor.context import Context
from gateway.doctor.given import Skipped
from gateway.errors import GatewayError

Need = Literal["pocketbase", "hooks", "stripe", "gateway", "settings", "public", "this machine"]


async def require(need: Need, context: Context) -> None:
    """Read the fact that a need depends on.

    Raises:
        Skipped: the need is not met.
    """
    read, reason = _NEEDS[need]
    try:
        is_met = await read(context)
    except (GatewayError, httpx2.HTTPError):
        is_met = False
    if not is_met:
        raise Skipped(reason)


async def _can_sign_in(context: Context) -> bool:
    await context.facts.sign_in()
    return True


async def _has_hooks(context: Context) -> bool:
    return not (await context.facts.read_version()).files


async def _has_stripe(context: Context) -> bool:
    await context.facts.read_stripe()
    return True


async def _has_gateway(context: Context) -> bool:
    return await context.facts.is_gateway_up()


async def _has_settings(context: Context) -> bool:
    return context.given.pocketbase_settings is not None


async def _has_public_address(context: Context) -> bool:
    if not context.given.is_remote:
        await require("pocketbase", context)
    return bool(await context.facts.read_public_url())


async def _is_this_machine(context: Context) -> bool:
    return not context.given.is_remote


#: Whether the need is met, and the reason why a check is skipped; a fact's own reason precedes.
_NEEDS: dict[Need, tuple[Callable[[Context], Awaitable[bool]], str]] = {
    "pocketbase": (_can_sign_in, "PocketBase can't be used: see pocketbase.reachable"),
    "hooks": (_has_hooks, "PocketBase lacks hooks: see hooks.loaded"),
    "stripe": (_has_stripe, "Stripe can't be used: see stripe.key"),
    "gateway": (_has_gateway, "the gateway does not answer: see gateway.reachable"),
    "settings": (_has_settings, "settings are not valid: see settings.valid"),
    "public": (_has_public_address, "there is no public address"),
    "this machine": (
        _is_this_machine,
        "this is checked on the deployment's own machine, without --url",
    ),
}
