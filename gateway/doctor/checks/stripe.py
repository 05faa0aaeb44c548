"""Stripe: it accepts the key, which is of the right mode and has the needed permissions."""

from datetime import UTC, datetime, timedelta

from gateway.doctor.check import CheckResult, check, failed, ok, warning
from gateway.doctor.context import Context
from gateway.doctor.requirements import require
from gateway.doctor.units import format_number
from gateway.errors import GatewayError
from gateway.events.stored_events import Selection, list_events
from gateway.setup.permissions import find_missing, is_restricted, read_mode
from gateway.setup.webhook_endpoint import WEBHOOK_PATH, list_endpoints
from gateway.stripe_api import Missing, StripeKeyNotAccepted, read_object

#: Stripe returns events of 30 days.
_EVENT_DAYS = 29
_NEWEST_EVENTS = 20


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


@check("stripe.mode", "Key, endpoint and events are of one mode and account", "stripe")
async def check_mode(context: Context) -> CheckResult:
    """Compare the key's mode (test or live) and account with the endpoint's and the events'."""
    mode = read_mode(context.given.key)
    others = []
    listed = await list_endpoints(context.clients.stripe)
    endpoints = [each for each in listed if WEBHOOK_PATH in each.url]
    if endpoints and all(each.is_live != (mode == "live") for each in endpoints):
        others.append("the webhook endpoint")
    if context.clients.superuser is not None:
        await require("pocketbase", context)
        others += await _find_other_events(context, mode == "live")
    if others:
        return failed(
            f"STRIPE_SECRET_KEY is a {mode} key, but {' and '.join(others)} is of the other mode.",
            "Use key, webhook endpoint and PocketBase of one mode: never mix test and live data.",
        )
    if context.clients.superuser is not None and not await _knows_newest_event(context):
        return failed(
            "Stripe does not know the newest stored event: the key is of another account.",
            "Use key, webhook endpoint and PocketBase of one account.",
        )
    return ok(f"{mode} mode everywhere")


async def _find_other_events(context: Context, is_live: bool) -> list[str]:
    """Return whether stored events are of the other mode, the newest one or an earlier one."""
    newest = await list_events(context.clients.pocketbase, Selection(), 1)
    if any(bool(each["livemode"]) != is_live for each in newest):
        return ["the newest stored event"]
    name = context.clients.pocketbase.collection_names.of("stripe_events")
    events = context.clients.administration.collection(name)
    other = f"livemode = {str(not is_live).lower()}"
    page = await events.list(per_page=1, filter=other, fields="id", skip_total=True)
    return ["an earlier stored event"] if page.items else []


async def _knows_newest_event(context: Context) -> bool:
    """Whether Stripe has the newest stored event of the key's own account; it keeps 30 days."""
    since = datetime.now(UTC) - timedelta(days=_EVENT_DAYS)
    events = await list_events(context.clients.pocketbase, Selection(since=since), _NEWEST_EVENTS)
    # Thin events (v1.…, v2.…) are read by another path.
    own = [
        each["stripe_id"]
        for each in events
        if not each["account"] and not each["type"].startswith(("v1.", "v2."))
    ]
    if not own:
        return True
    try:
        await read_object(context.clients.stripe, f"/v1/events/{own[0]}")
    except Missing:
        return False
    return True


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
