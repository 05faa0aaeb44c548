"""POST /jobs/{name}: a route per job, with its model as the body and its own dependency."""

import inspect
from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import BaseModel

from gateway.callers import AuthRecord, get_current_user, get_optional_user, get_superuser
from gateway.dependencies import (
    IdempotencyKey,
    OperatorRoute,
    ServicesDep,
    SignedInRoute,
    TokenRoute,
)
from gateway.errors import (
    BodyTooLarge,
    GatewayError,
    IdempotencyKeyReused,
    InvalidRequest,
    PocketBaseUnavailable,
    RateLimited,
    SuperuserNeeded,
    SuperusersOnly,
    Unauthenticated,
    UnsupportedMediaType,
    invalid_field,
)
from gateway.http.problems import problem_responses
from gateway.jobs.bodies import JobStatus
from gateway.jobs.declaration import Job, Who
from gateway.jobs.endpoint import router as followers
from gateway.jobs.jobs import TooManyJobs, owner_of
from gateway.jobs.state import TooLarge
from gateway.services import Services

#: A guest's key must not be one that others guess: the row of a guest is read by its id alone.
_MIN_GUEST_KEY_CHARACTERS = 16
_CALLERS: dict[str, Callable[..., Any]] = {
    "user": get_current_user,
    "superuser": get_superuser,
    "anyone": get_optional_user,
}
_ROUTES = {"user": SignedInRoute, "superuser": OperatorRoute}
_ERRORS: tuple[type[GatewayError], ...] = (
    InvalidRequest,
    IdempotencyKeyReused,
    RateLimited,
    TooManyJobs,
    PocketBaseUnavailable,
)
_CALLER_ERRORS: dict[str, tuple[type[GatewayError], ...]] = {
    "user": (Unauthenticated,),
    "superuser": (SuperuserNeeded, SuperusersOnly),
}


def add_job_routes(router: APIRouter, jobs: Iterable[Job]) -> None:
    """Add the routes of jobs that the router does not have yet, and those for all jobs."""
    known = {getattr(route, "path", "") for route in router.routes}
    added = [job for job in jobs if f"/jobs/{job.name}" not in known]
    for job in added:
        add_start_route(router, job)
    if added and not known:
        router.include_router(followers)


def add_start_route(router: APIRouter, job: Job) -> None:
    """Add the route that starts a job."""
    who = job.who if isinstance(job.who, str) else ""
    body_errors = (UnsupportedMediaType, BodyTooLarge) if job.model else ()
    router.add_api_route(
        f"/jobs/{job.name}",
        _build_endpoint(job),
        methods=["POST"],
        status_code=202,
        response_model=JobStatus,
        operation_id=f"start_{job.name.replace('-', '_')}",
        summary=f"Start the job {job.name}",
        description=_describe(job),
        responses=problem_responses(
            *_ERRORS, *_CALLER_ERRORS.get(who, (Unauthenticated,)), *body_errors
        ),
        # See `gateway.dependencies`: a request without a valid token is refused unread.
        route_class_override=_ROUTES.get(who, TokenRoute),
    )


def _describe(job: Job) -> str:
    follow = (
        "The answer is the job's state; follow it with `GET /jobs/{id}/events`, or its record by"
        " PocketBase's realtime."
    )
    return f"{job.summary}\n\n{follow}".strip()


def _build_endpoint(job: Job) -> Callable[..., Any]:
    """Return the endpoint; FastAPI reads its parameters from the signature."""

    async def start(
        services: Services,
        request: Request,
        response: Response,
        caller: AuthRecord | None,
        idempotency_key: str,
        body: BaseModel | None = None,
    ) -> JobStatus:
        await _count(services, request, caller, idempotency_key)
        user = owner_of(caller)
        try:
            row = await services.jobs.start(
                job.name, body, user=user, idempotency_key=idempotency_key
            )
        except TooLarge as error:
            raise InvalidRequest(f"{error}.") from error
        response.headers["Location"] = f"/jobs/{row.id}"
        return JobStatus.of(row)

    start.__signature__ = inspect.Signature(_list_parameters(job))  # type: ignore[attr-defined]
    return start


def _list_parameters(job: Job) -> list[inspect.Parameter]:
    annotations: dict[str, Any] = {
        "services": ServicesDep,
        "request": Request,
        "response": Response,
        "caller": Annotated[AuthRecord | None, Depends(_dependency_of(job.who))],
        "idempotency_key": IdempotencyKey,
    }
    if job.model:
        annotations["body"] = Annotated[job.model, Body()]
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(
            name,
            keyword,
            annotation=annotation,
            default="" if name == "idempotency_key" else inspect.Parameter.empty,
        )
        for name, annotation in annotations.items()
    ]


def _dependency_of(who: Who) -> Callable[..., Any]:
    return _CALLERS[who] if isinstance(who, str) else who


async def _count(services: Services, request: Request, caller: AuthRecord | None, key: str) -> None:
    """Apply the limits of requests before anything is stored."""
    if caller:
        await services.rate_limits.count_user(caller.id)
    elif key and len(key) < _MIN_GUEST_KEY_CHARACTERS:
        raise invalid_field(
            "Idempotency-Key",
            "validation_min_text_constraint",
            f"A guest's Idempotency-Key must have {_MIN_GUEST_KEY_CHARACTERS} characters or more:"
            " use a random UUID.",
        )
