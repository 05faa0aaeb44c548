"""PocketBase itself: reachable, writable, its superusers, settings and log."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from gateway.dates import to_column
from gateway.doctor.check import CheckResult, check, failed, ok, warning
from gateway.doctor.context import Context
from gateway.doctor.given import Skipped
from gateway.doctor.units import format_number
from gateway.errors import GatewayError
from gateway.health.readiness import check_writes
from gateway.settings import PocketBaseSettings

#: As in /ready.
_WRITE_SECONDS = 3.0
_MAX_TOKEN_DAYS = 14
_MIN_TOKEN_SECONDS = 300
#: Errors of requests have a status; 4xx are the callers' own.
_ERRORS = "level >= 8 && created >= '{since}' && (data.status = null || data.status >= 500)"
_ERROR_LEVEL = 8
_MAX_SHOWN = 3


@check("pocketbase.reachable", "PocketBase answers and accepts the superuser", "settings")
async def check_reachable(context: Context) -> CheckResult:
    """Sign in."""
    try:
        await context.facts.sign_in()
    except GatewayError as error:
        return failed(
            error.detail,
            "Start PocketBase, or correct POCKETBASE_URL and POCKETBASE_SUPERUSER_EMAIL and"
            " …_PASSWORD.",
        )
    return ok("PocketBase answers and accepts the superuser")


@check("pocketbase.writable", "PocketBase can write", "pocketbase", "hooks")
async def check_writable(context: Context) -> CheckResult:
    """Write one row of a table that is not a collection."""
    fix = "Free disk space, check the modes of pb_data, and end processes that lock the database."
    try:
        async with asyncio.timeout(_WRITE_SECONDS):
            await check_writes(context.clients.pocketbase)
    except GatewayError as error:
        return failed(error.detail, fix)
    except TimeoutError:
        return failed(f"PocketBase did not write one row in {_WRITE_SECONDS:g} s.", fix)
    return ok("one row was written")


@check("pocketbase.superusers", "Superusers are protected", "pocketbase")
async def check_superusers(context: Context) -> CheckResult:
    """Check the second factor (MFA) and the life of tokens."""
    collection = await context.clients.administration.collections.get("_superusers")
    seconds = int(collection["authToken"]["duration"])
    days = seconds / 86_400
    if seconds < _MIN_TOKEN_SECONDS:
        return failed(
            f"tokens of superusers expire after {seconds} s.",
            "Set their duration to 86400 s in the options of _superusers.",
        )
    if days > _MAX_TOKEN_DAYS:
        return warning(
            f"tokens of superusers are valid for {days:.0f} days.",
            "Shorten their duration in the options of _superusers: 86400 s is the default.",
        )
    if not collection["mfa"]["enabled"]:
        if context.given.is_live:
            return warning(
                "superusers sign in without a second factor.",
                "Turn on OTP and MFA by a migration: docs/guides/go-live.md has one.",
            )
        return ok(f"tokens are valid for {days:.1f} days; MFA is off, which matters in live mode")
    exempt = await _count_exempt(context, str(collection["mfa"].get("rule") or ""))
    if exempt > 1:
        return warning(
            f"{exempt} superusers sign in without a second factor: the MFA rule exempts them.",
            "Exempt the gateway's superuser alone (docs/guides/go-live.md).",
        )
    return ok(f"MFA is on, tokens are valid for {days:.1f} days")


async def _count_exempt(context: Context, rule: str) -> int:
    """Return the number of superusers that MFA leaves out; without a rule there are none."""
    if not rule:
        return 0
    superusers = context.clients.administration.collection("_superusers")
    return await superusers.count() - await superusers.count(rule)


@check("pocketbase.rate_limits", "PocketBase's rate limits spare the gateway", "pocketbase")
async def check_rate_limits(context: Context) -> CheckResult:
    """Check that the gateway's address is excluded if limits are on."""
    limits = (await context.facts.read_app_settings())["rateLimits"]
    if not limits["enabled"]:
        if context.given.is_live:
            return warning(
                "PocketBase's rate limits are off.",
                "Turn them on in Settings, Application, and exclude the gateway's address.",
            )
        return ok("rate limits are off, which matters in live mode")
    if any(ip_network(each, strict=False).prefixlen == 0 for each in limits["excludedIPs"]):
        return failed(
            "rate limits exclude every address.",
            "Exclude the gateway's IP address alone.",
        )
    if context.given.is_remote:
        raise Skipped("the gateway's own address is not known from outside")
    address = (await context.facts.read_diagnosis()).client.address
    if not _is_in(address, limits["excludedIPs"]):
        return failed(
            "rate limits are on and count the gateway as one visitor.",
            "Add the gateway's IP address, as PocketBase sees it, to the excluded IPs.",
        )
    return ok("rate limits are on, the gateway is excluded")


def _is_in(address: str, networks: Iterable[str]) -> bool:
    """Return whether an address is in a list of PocketBase's: of addresses and networks."""
    return any(ip_address(address) in ip_network(each, strict=False) for each in networks)


@check("pocketbase.application_url", "PocketBase knows its public address", "pocketbase")
async def check_application_url(context: Context) -> CheckResult:
    """Check the address that PocketBase's mails link to."""
    url = str((await context.facts.read_app_settings())["meta"]["appURL"]).rstrip("/")
    given = context.given.url.rstrip("/")
    fix = "Set the application URL in PocketBase's Settings to the public address."
    if context.given.is_live and not url.startswith("https://"):
        return failed("the application URL, to which mails link, has no HTTPS.", fix)
    if given.startswith("https:") and url != given:
        return warning("the application URL, to which mails link, is another address.", fix)
    return ok("mails link to the application URL")


@check("pocketbase.mail", "Mails can be sent", "pocketbase", "settings")
async def check_mail(context: Context) -> CheckResult:
    """Check that PocketBase has a mail server, for sign-ups and the gateway's mails."""
    app_settings = await context.facts.read_app_settings()
    if app_settings["smtp"]["enabled"]:
        sender = str(app_settings["meta"]["senderAddress"])
        if sender.endswith("@example.com"):
            return warning(
                "PocketBase's mails come from its default address: mail servers refuse them.",
                "Set the sender address in PocketBase's Settings, Mail settings.",
            )
        return ok("PocketBase has a mail server")
    settings = context.given.pocketbase_settings
    fix = "Set the mail server in PocketBase's Settings, Mail settings."
    if _sends(settings) and settings.gateway_smtp_url is None:
        return failed("GATEWAY_EMAIL_NOTIFICATIONS is set, but there is no mail server.", fix)
    if context.given.is_live:
        return warning("PocketBase has no mail server for sign-ups and passwords.", fix)
    return ok("PocketBase has no mail server, which matters in live mode")


def _sends(settings: PocketBaseSettings) -> bool:
    return bool(settings.gateway_email_notifications)


@check("pocketbase.errors", "PocketBase logged no errors today", "pocketbase")
async def check_errors(context: Context) -> CheckResult:
    """Read the errors of the last 24 hours; refusals (4xx) of callers don't count.

    PocketBase stores its log every 200 lines, or after three seconds without a further one.
    """
    logs = (await context.facts.read_app_settings())["logs"]
    if logs["maxDays"] < 1 or logs["minLevel"] > _ERROR_LEVEL:
        return warning(
            "PocketBase does not store errors.",
            "Set the log's days of retention and minimum level in PocketBase's dashboard, Logs.",
        )
    since = to_column(datetime.now(UTC) - timedelta(days=1))
    page = await context.clients.administration.logs.list(
        per_page=_MAX_SHOWN, filter=_ERRORS.format(since=since)
    )
    number = int(page["totalItems"])
    if not number:
        return ok("no errors in 24 hours")
    shown = [f"{each['created'][:19]} {each['message'][:100]}" for each in page["items"]]
    return warning(
        f"{format_number(number, 'error')} in 24 hours.",
        "Read them in PocketBase's dashboard, Logs.",
        *shown,
    )
