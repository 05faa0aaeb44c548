"""The webhook endpoint: it exists, gets the handled types, and its deliveries are accepted."""

import hmac
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from gateway.doctor.check import CheckResult, check, failed, ok, warning
from gateway.doctor.context import Context
from gateway.doctor.facts import read_members
from gateway.doctor.given import Skipped
from gateway.doctor.units import format_number
from gateway.events.stored_events import find_handled
from gateway.setup.event_types import PINNED_VERSION, handled_types
from gateway.setup.webhook_endpoint import (
    WEBHOOK_PATH,
    EndpointDifference,
    RegisteredEndpoint,
    compare,
    is_reachable,
    list_endpoints,
    select_by_url,
)
from gateway.stripe_api import read_object

#: Time in which a delivery and its first repetitions arrive.
_GRACE_SECONDS = 600
_DAY_SECONDS = 86_400
#: An event that the gateway refuses after it has verified the signature.
_PROBE_BODY = b"{}"
_INIT = "Run `gateway init`, or change it in Stripe's dashboard (docs/guides/go-live.md)."


async def find_endpoint(context: Context) -> RegisteredEndpoint:
    """Return this deployment's endpoint.

    Raises:
        Skipped: there is none.
    """
    if found := await _find_endpoint(context):
        return found
    raise Skipped("there is no webhook endpoint: see webhooks.endpoint")


async def _list_endpoints(context: Context) -> list[RegisteredEndpoint]:
    client = context.clients.stripe
    return await context.facts.share("endpoints", lambda: list_endpoints(client))


async def _find_endpoint(context: Context) -> RegisteredEndpoint | None:
    endpoints = await _list_endpoints(context)
    urls = await _list_addresses(context)
    for url in urls:
        if found := select_by_url(endpoints, f"{url}{WEBHOOK_PATH}"):
            return found[0]
    # A container does not know the address that leads to it.
    others = [each for each in endpoints if each.url.endswith(WEBHOOK_PATH)]
    return others[0] if len(others) == 1 and not any(map(is_reachable, urls)) else None


async def _list_addresses(context: Context) -> list[str]:
    """Return the addresses of the gateway, the public one first."""
    urls = [context.given.gateway_url]
    if not context.given.is_remote:
        with suppress(Skipped):
            urls.insert(0, await context.facts.read_public_url())
    return urls


@check("webhooks.endpoint", "Stripe has one enabled endpoint of this gateway", "stripe")
async def check_endpoint(context: Context) -> CheckResult:
    """Look for the endpoint by its address; name others that nearly fit."""
    endpoint = await _find_endpoint(context)
    if endpoint is None:
        # A developer's machine, to which `stripe listen` forwards events.
        is_local = not context.given.is_live and not is_reachable(context.given.gateway_url)
        report = warning if is_local and context.given.uses_real_stripe else failed
        return report(
            f"Stripe has no webhook endpoint with this gateway's address and {WEBHOOK_PATH}.",
            "Run `gateway init`; on a developer's machine, `stripe listen --forward-to` replaces"
            " it.",
            *await _describe_similar(context),
        )
    if not endpoint.is_enabled:
        return failed(
            "the webhook endpoint is disabled.",
            "Enable it in Stripe's dashboard, then run `gateway reconcile`.",
        )
    same = select_by_url(await _list_endpoints(context), endpoint.url)
    if len([each for each in same if each.is_enabled]) > 1:
        return warning(
            "Stripe has several enabled webhook endpoints with this address.",
            "Run `gateway init`, or disable all but the one with a known secret: each event comes"
            " once per endpoint, and the gateway refuses those with an unknown secret.",
            *(each.id for each in same),
        )
    return ok("the webhook endpoint is enabled")


async def _describe_similar(context: Context) -> list[str]:
    """Return endpoints of the same host, and others with the gateway's path."""
    hosts = {urlsplit(url).hostname for url in await _list_addresses(context)}
    return [
        f"{each.id} has {each.url}"
        for each in await _list_endpoints(context)
        if urlsplit(each.url).hostname in hosts or urlsplit(each.url).path == WEBHOOK_PATH
    ]


def _list_types(context: Context) -> tuple[str, ...]:
    """Return the event types that the mirror and the app's handlers use."""
    declared = context.given.declarations
    objects = [each.object for each in declared.mirrors]
    topics = [topic for each in declared.handlers for topic in each.topics]
    return handled_types(objects, topics)


async def _compare(context: Context) -> EndpointDifference:
    return compare(await find_endpoint(context), _list_types(context))


@check("webhooks.types", "The endpoint gets all event types that are handled", "stripe")
async def check_types(context: Context) -> CheckResult:
    """Compare the endpoint's event types with those of the mirror and the app's handlers."""
    missing = (await _compare(context)).missing
    if missing:
        return failed(
            f"{format_number(len(missing), 'handled event type')} not sent.", _INIT, *missing[:10]
        )
    return ok("all handled event types are sent")


@check("webhooks.version", "The endpoint has the SDK's API version", "stripe")
async def check_version(context: Context) -> CheckResult:
    """Compare the version that shapes the events with the SDK's."""
    version = (await _compare(context)).version
    if version:
        return warning(
            f"the endpoint's API version is {version}, the SDK's is {PINNED_VERSION}.",
            "Create the endpoint again with this version (`gateway init`): Stripe can't change it.",
        )
    return ok(f"the endpoint has API version {PINNED_VERSION}")


@check("webhooks.signature", "The gateway accepts only signed deliveries", "gateway")
async def check_signature(context: Context) -> CheckResult:
    """Send an invalid event, unsigned and signed with each known secret; nothing is stored."""
    if await _probe(context, "whsec_unknown") != "invalid-signature":
        return failed(
            f"{WEBHOOK_PATH} does not refuse a delivery with a wrong signature.",
            "Lead the address to the gateway: another program answers.",
        )
    try:
        secrets: Sequence[str] = context.given.settings.webhook_secrets
    except Skipped:
        return ok("a wrong signature is refused; the secrets are not known here")
    for secret in secrets:
        if await _probe(context, secret) == "invalid-signature":
            return failed(
                "the running gateway refuses a secret of STRIPE_WEBHOOK_SECRETS.",
                "Restart it with the present settings (`docker compose up -d`).",
            )
    return ok(f"wrong signatures are refused, {format_number(len(secrets), 'secret')} accepted")


async def _probe(context: Context, secret: str) -> str:
    """Return the type of the gateway's refusal."""
    now = int(time.time())
    digest = hmac.digest(secret.encode(), b"%d.%b" % (now, _PROBE_BODY), "sha256").hex()
    answer = await context.clients.http.post(
        f"{context.given.gateway_url}{WEBHOOK_PATH}",
        content=_PROBE_BODY,
        headers={"Stripe-Signature": f"t={now},v1={digest}"},
    )
    kind = read_members(answer).get("type") or f":status {answer.status_code}"
    return str(kind).rpartition(":")[2]


@check("webhooks.secret", "The endpoint's secret is known", "stripe")
async def check_secret(context: Context) -> CheckResult:
    """Compare the fingerprint that `gateway init` stored; else the delivered events show it."""
    endpoint = await find_endpoint(context)
    known = endpoint.has_secret(context.given.settings.webhook_secrets)
    if known is False:
        return failed(
            "STRIPE_WEBHOOK_SECRETS lacks the secret of the endpoint.",
            "Copy it from Stripe's dashboard, or let `gateway init` create the endpoint again.",
        )
    if known:
        return ok("STRIPE_WEBHOOK_SECRETS has the endpoint's secret")
    now, delivered = await _list_events(context, True)
    since = max(now - _DAY_SECONDS, endpoint.created)
    if any(event["created"] >= since and endpoint.receives(event["type"]) for event in delivered):
        return ok("Stripe's deliveries of the last day were accepted")
    raise Skipped("Stripe does not show secrets, and no delivery of the last day was accepted")


@check("webhooks.deliveries", "Stripe's deliveries succeed", "stripe")
async def check_deliveries(context: Context) -> CheckResult:
    """Count the undelivered events of the last three days."""
    now, pending = await _list_events(context, False)
    late = [each for each in pending if each["created"] < now - _GRACE_SECONDS]
    if late:
        more = "at least " if len(late) == 100 else ""
        return failed(
            f"{more}{format_number(len(late), 'event')} of three days not delivered.",
            "See the answers in Stripe's dashboard and docs/runbooks/failed-deliveries.md, then"
            " run `gateway reconcile`.",
            *sorted({each["type"] for each in late})[:5],
        )
    return ok(f"no delivery failed; {len(pending)} are under way")


@check("webhooks.missed", "No event of Stripe is missing here", "stripe", "pocketbase")
async def check_missed(context: Context) -> CheckResult:
    """Compare Stripe's newest 100 events with the stored ones."""
    await find_endpoint(context)
    now, events = await _list_events(context, None)
    types = set(_list_types(context))
    old = [
        each
        for each in events
        if each["created"] < now - _GRACE_SECONDS and each["type"] in types
        if not each.get("account")
    ]
    stored = await find_handled(context.clients.pocketbase, [each["id"] for each in old])
    missing = [each for each in old if each["id"] not in stored]
    if missing:
        return failed(
            f"{len(missing)} of Stripe's newest {format_number(len(old), 'event')} not applied.",
            "Run `gateway reconcile`; it handles them.",
            *sorted({each["type"] for each in missing})[:5],
        )
    return ok(f"Stripe's newest {format_number(len(old), 'event')} applied")


async def _list_events(
    context: Context, is_delivered: bool | None
) -> tuple[int, list[dict[str, Any]]]:
    """Return Stripe's time, and its newest events of three days by success of their delivery."""

    async def read() -> tuple[int, list[dict[str, Any]]]:
        since = (await context.facts.read_stripe()).until - 3 * _DAY_SECONDS
        success = "" if is_delivered is None else f"&delivery_success={str(is_delivered).lower()}"
        path = f"/v1/events?limit=100&created[gte]={since}{success}"
        snapshot = await read_object(context.clients.stripe, path)
        return snapshot.until, list(snapshot.body["data"])

    return await context.facts.share(f"events {is_delivered}", read)
