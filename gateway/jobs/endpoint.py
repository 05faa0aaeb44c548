"""GET /jobs/{id}, GET /jobs/{id}/events, POST /jobs/{id}/cancel: for the job's user."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.sse import EventSourceResponse

from gateway.callers import AuthRecord, get_caller
from gateway.dependencies import ServicesDep, TokenRoute
from gateway.errors import Overloaded, PocketBaseUnavailable, RateLimited, Unauthenticated
from gateway.http.problems import problem_responses
from gateway.http.protocol import AT_SHUTDOWN
from gateway.jobs.bodies import JobStatus
from gateway.jobs.events import event_id
from gateway.jobs.jobs import JobFinished, NoSuchJob, owner_of
from gateway.jobs.row import JobRow
from gateway.jobs.stream import HEADERS
from gateway.services import Services

_ERRORS = (Unauthenticated, NoSuchJob, RateLimited, PocketBaseUnavailable)
_MAX_HEADER_CHARACTERS = 255
_EVENTS = {
    "description": (
        "Events `progress` with `{status, attempts, progress}`, then one of `result` with `{status,"
        " result}`, `failed` or `cancelled` with `{status, error}`, after which the stream ends."
    ),
    # Without a schema: OpenAPI 3.1 has no keyword for the events of a stream.
    "content": {"text/event-stream": {}},
}
_NO_CONTENT = {
    "description": "The job has ended, and the client has its last event: don't reconnect."
}

JobId = Annotated[str, Path(max_length=_MAX_HEADER_CHARACTERS, description="The job's id.")]
LastEventId = Annotated[
    str,
    Header(
        alias="Last-Event-ID",
        description="The id of the last event that arrived; browsers send it by themselves.",
    ),
]
Caller = Annotated[AuthRecord | None, Depends(get_caller)]


async def _read_job(job_id: JobId, caller: Caller, services: ServicesDep) -> JobRow:
    """Return a job that the caller started, or a guest's; superusers may see all.

    Raises:
        NoSuchJob: there is none, or it is another user's.
    """
    if caller:
        await services.rate_limits.count_user(caller.id)
    row = await services.jobs.read(job_id)
    is_own = row.user in ("", owner_of(caller))
    if not is_own and not (caller and caller.is_superuser):
        raise NoSuchJob
    return row


OwnJob = Annotated[JobRow, Depends(_read_job)]

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=TokenRoute)


@router.get(
    "/{job_id}",
    operation_id="read_job",
    responses=problem_responses(*_ERRORS),
)
async def read_job(job: OwnJob) -> JobStatus:
    """Return a job's status, progress and result."""
    return JobStatus.of(job)


@router.post("/{name}", include_in_schema=False)
async def refuse_unknown(name: str) -> None:
    """Answer 404 for the name of a job that does not exist.

    Raises:
        NoSuchJob
    """
    raise NoSuchJob(f"There is no job named {name}.")


@router.post(
    "/{job_id}/cancel",
    operation_id="cancel_job",
    responses=problem_responses(*_ERRORS, JobFinished),
)
async def cancel_job(job: OwnJob, services: ServicesDep) -> JobStatus:
    """Cancel a job: one that waits at once, one that runs where it next awaits.

    Until a running one has stopped, its status is `running`.
    """
    return JobStatus.of(await services.jobs.cancel(job.id))


@router.get(
    "/{job_id}/events",
    operation_id="follow_job",
    response_class=Response,
    responses={
        **problem_responses(*_ERRORS, Overloaded),
        200: _EVENTS,
        204: _NO_CONTENT,
    },
)
async def follow_job(
    job: OwnJob,
    request: Request,
    caller: Caller,
    services: ServicesDep,
    last_event_id: LastEventId = "",
) -> Response:
    """Follow a job by server-sent events, from its present state to its end.

    With `Last-Event-ID`, a state that the client has already is not sent again.
    """
    if job.is_finished and last_event_id == event_id(job):
        return Response(status_code=204)
    return _stream(job, request, caller, services, last_event_id)


def _stream(
    job: JobRow,
    request: Request,
    caller: AuthRecord | None,
    services: Services,
    last_event_id: str,
) -> Response:
    address = request.client.host if request.client else ""
    name = caller.id if caller else address
    services.job_streams.admit(name)
    setattr(request.state, AT_SHUTDOWN, services.job_streams.close)
    events = services.job_streams.follow(job, last_event_id, name)
    return EventSourceResponse(events, headers=dict(HEADERS))
