"""Stripe: it accepts the key, which is of the right mode and has the needed permissions."""

from gateway.doctor.check import CheckResult, check, failed, ok, warning
from gateway.doctor.context import Context
from gateway.doctor.requirements import require
from gateway.doctor.units import format_number
from gateway.errors import GatewayError
from gateway.events.stored_events import Selection, list_events
from gateway.setup.permissions import find_missing, is_restricted, read_mode
from gateway.setup.webhook_endpoint import WEBHOOK_PATH, list_endpoints
from gateway.stripe_api import StripeKeyNotAccepted


@check("stripe.key", "Stripe accepts the key")
async def check_key(context: Context) -> CheckResult:
    """Read one price."""
    try:
        await context.facts.read_stripe()
    except StripeKeyNotAccepted as error:
        return failed(error.detail, "Set STRIPE_SECRET_KEY to a valid key, then `up -d`.")
    except GatewayError as error:
        return failed(error.detail, "Check STRIPE_API_BASE, HTTPS_PROXY and the network.")
    return ok(f"Stripe accepts the {read_mode(context.given.key) or 'other'} key")


@check("stripe.mode", "Key, endpoint and events are of one mode", "stripe")
async def check_mode(context: Context) -> CheckResult:
    """Compare the key's mode (test or live) with the endpoint's and the newest event's."""
    mode = read_mode(context.given.key)
    others = []
    endpoints = [
        each for each in await list_endpoints(context.clients.stripe) if WEBHOOK_PATH in each.url
    ]
    if endpoints and all(each.is_live != (mode == "live") for each in endpoints):
        others.append("the webhook endpoint")
    if context.clients.superuser is not None and await _has_other_event(context, mode == "live"):
        others.append("the newest stored event")
    if others:
        return failed(
            f"STRIPE_SECRET_KEY is a {mode} key, but {' and '.join(others)} is of the other mode.",
            "Use key, webhook endpoint and PocketBase of one mode: never mix test and live data.",
        )
    return ok(f"{mode} mode everywhere")


async def _has_other_event(context: Context, is_live: bool) -> bool:
    await require("pocketbase", context)
    newest = await list_events(context.clients.pocketbase, Selection(), 1)
    return any(bool(each["livemode"]) != is_live for each in newest)


@check("stripe.permissions", "A restricted key has the needed permissions", "stripe", seconds=30)
async def check_permissions(context: Context) -> CheckResult:
    """Probe each permission; nothing is changed at Stripe."""
    if not is_restricted(context.given.key):
        if context.given.is_live:
            return warning(
                "the key is a secret key, which may do everything.",
                "Create a restricted key (rk_…) with the permissions in docs/guides/go-live.md.",
            )
        return ok("a secret key has all permissions; in live mode, use a restricted one")
    missing = [each.permission for each in await find_missing(context.clients.stripe)]
    needed = [each.describe() for each in missing if not each.is_optional]
    optional = [each.describe() for each in missing if each.is_optional]
    fix = "Edit the restricted key in Stripe's dashboard, Developers, API keys."
    if needed:
        return failed(f"the key lacks {format_number(len(needed), 'permission')}.", fix, *needed)
    if optional:
        return warning(
            f"the key lacks {format_number(len(optional), 'optional permission')}.", fix, *optional
        )
    return ok("the restricted key has all permissions")
