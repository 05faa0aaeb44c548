"""/admin/work: the commands `gateway work` for PocketBase's superusers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from gateway.admin.superuser_route import SuperuserRoute
from gateway.admin.work_bodies import (
    WorkCancel,
    WorkChanged,
    WorkItemDetail,
    WorkItemRow,
    WorkListing,
    WorkPage,
    WorkPause,
    WorkRetry,
    WorkSummary,
)
from gateway.dependencies import ServicesDep, superuser_bearer
from gateway.errors import (
    InvalidRequest,
    NotFound,
    PocketBaseUnavailable,
    SuperuserNeeded,
    SuperusersOnly,
    UnsupportedMediaType,
)
from gateway.http.problems import problem_responses

_ERRORS = (InvalidRequest, SuperuserNeeded, SuperusersOnly, PocketBaseUnavailable)
_CHANGE_ERRORS = problem_responses(*_ERRORS, UnsupportedMediaType)


class NoSuchWork(NotFound):
    """There is no such item."""


router = APIRouter(
    prefix="/admin/work",
    tags=["admin"],
    route_class=SuperuserRoute,
    dependencies=[Depends(superuser_bearer)],
)


@router.get("", operation_id="list_work", responses=problem_responses(*_ERRORS))
async def list_work(query: Annotated[WorkListing, Query()], services: ServicesDep) -> WorkPage:
    """List background work, newest first."""
    rows = await services.work.list(query.status or "", query.handler or "", query.limit)
    return WorkPage(items=[WorkItemRow.of(row) for row in rows])


@router.get("/status", operation_id="show_work_status", responses=problem_responses(*_ERRORS))
async def show_work_status(services: ServicesDep) -> WorkSummary:
    """Return the number of open and parked items by handler, and the paused handlers."""
    return WorkSummary.of(await services.work.status())


@router.get("/{id}", operation_id="show_work", responses=problem_responses(*_ERRORS, NoSuchWork))
async def show_work(
    id: Annotated[str, Path(pattern="^[a-z0-9]{1,100}$")], services: ServicesDep
) -> WorkItemDetail:
    """Return one item with its payload, state and result."""
    row = await services.work.find(id)
    if row is None:
        raise NoSuchWork(f"There is no item {id}.")
    return WorkItemDetail.of(row)


@router.post("/retry", operation_id="retry_work", responses=_CHANGE_ERRORS)
async def retry_work(body: WorkRetry, services: ServicesDep) -> WorkChanged:
    """Make items due now, with all their tries: waiting, parked or cancelled ones.

    An item that may have been done is then done twice.
    """
    if bool(body.ids) == body.parked or (body.handler and not body.parked):
        raise InvalidRequest("Set ids, or parked with or without a handler, but not both.")
    return WorkChanged(changed=await services.work.retry(body.ids, body.handler or ""))


@router.post("/cancel", operation_id="cancel_work", responses=_CHANGE_ERRORS)
async def cancel_work(body: WorkCancel, services: ServicesDep) -> WorkChanged:
    """Cancel items that wait or are parked, and stop running ones where they await."""
    return WorkChanged(changed=await services.work.cancel(body.ids))


@router.post("/pause", operation_id="pause_work", responses=_CHANGE_ERRORS)
async def pause_work(body: WorkPause, services: ServicesDep) -> WorkChanged:
    """Start no further item of a handler, in any process; running ones end."""
    return WorkChanged(changed=int(await services.work.pause(body.handler)))


@router.post("/resume", operation_id="resume_work", responses=_CHANGE_ERRORS)
async def resume_work(body: WorkPause, services: ServicesDep) -> WorkChanged:
    """Start the items of a paused handler again."""
    return WorkChanged(changed=int(await services.work.pause(body.handler, paused=False)))
