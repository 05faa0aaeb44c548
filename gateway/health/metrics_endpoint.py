"""GET /metrics: this process's metrics, and the state of PocketBase and the queue."""

import asyncio
from datetime import UTC, datetime
from hmac import compare_digest

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from gateway.dates import from_column
from gateway.dependencies import ServicesDep
from gateway.errors import GatewayError, NotFound, Unauthenticated
from gateway.metrics import REGISTRY
from gateway.pocketbase import PocketBaseRefused
from gateway.pocketbase.contracts.work import WorkStatus
from gateway.services import Services

router = APIRouter(include_in_schema=False)

#: Time for the state of the queue; without it the other metrics are shown.
_STATUS_SECONDS = 3.0


class MetricsTokenNeeded(Unauthenticated):
    """The token of GATEWAY_METRICS_TOKEN is needed."""

    kind = Unauthenticated


@router.get("/metrics")
async def read_metrics(request: Request, services: ServicesDep) -> Response:
    """Return the metrics in Prometheus's text format.

    Raises:
        NotFound: GATEWAY_METRICS_TOKEN is not set.
        MetricsTokenNeeded
    """
    token = services.settings.gateway_metrics_token
    if token is None:
        raise NotFound
    given = request.headers.get("Authorization", "")
    if not compare_digest(given.encode(), f"Bearer {token.get_secret_value()}".encode()):
        raise MetricsTokenNeeded
    state = CollectorRegistry()
    # At once: one after the other, a frozen PocketBase would exceed Prometheus's 10 s.
    _, _, status = await asyncio.gather(
        _describe_readiness(state, services),
        _describe_backups(state, services),
        _read_status(services),
    )
    _describe_queue(state, status)
    text = generate_latest(REGISTRY) + generate_latest(state)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


async def _read_status(services: Services) -> WorkStatus | None:
    """Return the state of the queue, None if PocketBase does not answer."""
    try:
        async with asyncio.timeout(_STATUS_SECONDS):
            return await services.work.status()
    except (GatewayError, PocketBaseRefused, TimeoutError):
        return None


async def _describe_readiness(registry: CollectorRegistry, services: Services) -> None:
    ready = Gauge("gateway_ready", "1 if /ready answers 200.", registry=registry)
    try:
        await services.readiness.check()
    except GatewayError:
        ready.set(0)
        return
    ready.set(1)
    events = Gauge(
        "gateway_events",
        "Stored events that are not applied, by outcome: failed, unresolved.",
        ["outcome"],
        registry=registry,
    )
    events.labels("failed").set(services.readiness.backlog.failed)
    events.labels("unresolved").set(services.readiness.backlog.unresolved)


async def _describe_backups(registry: CollectorRegistry, services: Services) -> None:
    """Add the age of PocketBase's newest own backup; nothing without one."""
    try:
        async with asyncio.timeout(_STATUS_SECONDS):
            found = await services.pocketbase.call("GET", "/api/backups")
    except (GatewayError, PocketBaseRefused, TimeoutError):
        return
    made = [from_column(backup["modified"]) for backup in found.get("items", [])]
    if made:
        age = Gauge(
            "gateway_backup_age_seconds",
            "Seconds since PocketBase's newest own backup.",
            registry=registry,
        )
        age.set((datetime.now(UTC) - max(made)).total_seconds())


def _describe_queue(registry: CollectorRegistry, status: WorkStatus | None) -> None:
    up = Gauge("gateway_pocketbase_up", "1 if PocketBase answers.", registry=registry)
    up.set(status is not None)
    if status is None:
        return
    items = Gauge(
        "gateway_work_items",
        "Items of the queue by handler and status: waiting, running, parked.",
        ["handler", "status"],
        registry=registry,
    )
    for count in status.counts:
        items.labels(count.handler, count.status).set(count.number)
    oldest = Gauge(
        "gateway_work_oldest_due_seconds",
        "Seconds since the earliest waiting item was due; 0 if none is late.",
        registry=registry,
    )
    oldest.set(status.read_oldest_delay(datetime.now(UTC)))
