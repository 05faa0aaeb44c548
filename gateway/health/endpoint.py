"""GET /health (the process runs) and GET /ready (it can do its work)."""

from fastapi import APIRouter

from gateway.dependencies import ServicesDep
from gateway.errors import PocketBaseUnavailable
from gateway.health.readiness import NotReady
from gateway.http.problems import problem_responses
from gateway.http.response_types import ResponseModel
from gateway.stripe_api import StripeKeyNotAccepted

router = APIRouter(tags=["health"])


class Status(ResponseModel):
    """All is well."""

    status: str = "ok"


@router.get("/health", operation_id="read_health")
async def read_health() -> Status:
    """The process is running; checks nothing else."""
    return Status()


@router.get(
    "/ready",
    operation_id="read_readiness",
    responses=problem_responses(NotReady, PocketBaseUnavailable, StripeKeyNotAccepted),
)
async def read_readiness(services: ServicesDep) -> Status:
    """PocketBase can write, accepts our superuser, and has our hooks and migrations.

    Stripe accepted the key in its last answers.
    """
    await services.readiness.check()
    return Status()
