"""GET /health (the process runs) and GET /ready (its dependencies work)."""

from fastapi import APIRouter

from gateway.dependencies import ServicesDep
from gateway.errors import PocketBaseUnavailable
from gateway.health.readiness import NotReady
from gateway.http.problems import problem_responses
from gateway.http.response_types import ResponseModel
from gateway.stripe_api import StripeKeyNotAccepted

router = APIRouter(tags=["health"])


class Status(ResponseModel):
    """Success."""

    status: str = "ok"


class ReadyStatus(Status):
    """The gateway is ready."""

    #: Stored events whose row waits for a read from Stripe.
    unresolved_events: int
    #: Items of background work that need a decision: `gateway work list --status parked`.
    parked_work: int


@router.get("/health", operation_id="read_health")
async def read_health() -> Status:
    """Return ok: the process runs. Nothing else is checked."""
    return Status()


@router.get(
    "/ready",
    operation_id="read_readiness",
    responses=problem_responses(NotReady, PocketBaseUnavailable, StripeKeyNotAccepted),
)
async def read_readiness(services: ServicesDep) -> ReadyStatus:
    """Return ok if the dependencies of the gateway work.

    PocketBase can write, accepts the gateway's superuser, has the hooks and migrations of this
    release and uses the transforms; Stripe's latest responses accepted the key.
    """
    backlog = await services.readiness.check()
    return ReadyStatus(unresolved_events=backlog.unresolved, parked_work=backlog.parked)
