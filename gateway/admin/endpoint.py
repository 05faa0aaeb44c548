"""/admin: the commands `customers`, `events` and `reconcile` for PocketBase's superusers."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from gateway.admin.bodies import (
    CustomerMove,
    EventPage,
    Listing,
    MovedCustomer,
    Prune,
    PruneReport,
    ReconcileRequest,
    ReconcileRun,
    ReconcileRuns,
    ReconcileStarted,
    Replay,
    ReplayedEvent,
    ReplayReport,
    StoredEvent,
    StoredEventWithPayload,
)
from gateway.admin.superuser_route import SuperuserRoute
from gateway.customers.transfer import (
    CustomerLeaving,
    CustomerTransfer,
    NoSuchCustomer,
    Payer,
)
from gateway.dependencies import ServicesDep, superuser_bearer
from gateway.errors import (
    InvalidRequest,
    PocketBaseUnavailable,
    StripeRefused,
    StripeUnavailable,
    SuperuserNeeded,
    SuperusersOnly,
    UnsupportedMediaType,
)
from gateway.events.retention import prune
from gateway.events.stored_events import (
    NoSuchEvent,
    Selection,
    list_events,
    read_event,
)
from gateway.http.problems import problem_responses
from gateway.reconcile.run import Options, ReconciliationUnderWay, Runs

_ERRORS = (InvalidRequest, SuperuserNeeded, SuperusersOnly, PocketBaseUnavailable)
_STRIPE_ERRORS = (StripeUnavailable, StripeRefused)


router = APIRouter(
    prefix="/admin",
    tags=["admin"],
    route_class=SuperuserRoute,
    dependencies=[Depends(superuser_bearer)],
)


@router.get(
    "/events", operation_id="list_events", responses=problem_responses(*_ERRORS, NoSuchEvent)
)
async def get_events(query: Annotated[Listing, Query()], services: ServicesDep) -> EventPage:
    """List stored events, newest first."""
    after = query.after or ""
    rows = await list_events(services.pocketbase, query.selection, query.limit, after=after)
    return EventPage(events=[StoredEvent.of(row) for row in rows])


@router.get(
    "/events/{event}", operation_id="show_event", responses=problem_responses(*_ERRORS, NoSuchEvent)
)
async def get_event(event: str, services: ServicesDep) -> StoredEventWithPayload:
    """Return one event with its payload."""
    row = await read_event(services.pocketbase, event)
    return StoredEventWithPayload.of(row)


@router.post(
    "/events/replay",
    operation_id="replay_events",
    responses=problem_responses(*_ERRORS, NoSuchEvent, UnsupportedMediaType),
)
async def replay_events(body: Replay, services: ServicesDep) -> ReplayReport:
    """Handle stored events again, oldest first.

    Rows are written with this release's projections, unless they show a newer state.
    """
    selection = body.selection
    if bool(body.ids) == (selection != Selection()):
        raise InvalidRequest("Set ids, or at least one field that selects events, but not both.")
    results = (
        services.replayer.replay_ids(body.ids, dry_run=body.dry_run)
        if body.ids
        else services.replayer.replay_selected(
            selection, after=body.after or "", limit=body.limit, dry_run=body.dry_run
        )
    )
    events = [ReplayedEvent.of(result) async for result in results]
    return ReplayReport(
        events=events,
        outcomes=Counter(each.outcome for each in events),
        has_more=not body.ids and len(events) == body.limit,
    )


@router.post(
    "/events/prune",
    operation_id="prune_events",
    responses=problem_responses(*_ERRORS, UnsupportedMediaType),
)
async def prune_events(body: Prune, services: ServicesDep) -> PruneReport:
    """Prune the payloads of old events, up to 100,000 per call; failed events keep theirs."""
    days = body.older_than_days or services.settings.gateway_keep_payload_days
    return PruneReport(pruned=await prune(services.pocketbase, days, dry_run=body.dry_run))


@router.post(
    "/customers/{customer}/move",
    operation_id="move_customer",
    responses=problem_responses(
        *_ERRORS, UnsupportedMediaType, NoSuchCustomer, CustomerLeaving, *_STRIPE_ERRORS
    ),
)
async def move_customer(
    customer: Annotated[str, Path(max_length=255)], body: CustomerMove, services: ServicesDep
) -> MovedCustomer:
    """Move a customer with all its purchases to another user or organization.

    Writes the new owner to the customer's metadata at Stripe, and moves every row in PocketBase.
    """
    payer = Payer(body.user or "", body.organization or "")
    transfer = CustomerTransfer(services.pocketbase, services.stripe, services.sync_snapshot)
    return MovedCustomer.of(await transfer.move(customer, payer))


@router.post(
    "/reconcile",
    status_code=202,
    operation_id="start_reconciliation",
    responses=problem_responses(*_ERRORS, UnsupportedMediaType, ReconciliationUnderWay),
)
async def start_reconciliation(body: ReconcileRequest, services: ServicesDep) -> ReconcileStarted:
    """Start comparing the mirror with Stripe, or continue an interrupted run of the same scope."""
    options = Options(
        dry_run=body.dry_run,
        only=tuple(body.only),
        since=body.since or "",
        events=body.events and not body.only,
        objects=body.objects,
    )
    return ReconcileStarted(id=await services.reconciliation.start(options, body.rate))


@router.get(
    "/reconcile", operation_id="list_reconciliations", responses=problem_responses(*_ERRORS)
)
async def list_reconciliations(
    services: ServicesDep, limit: Annotated[int, Query(ge=1, le=100)] = 10
) -> ReconcileRuns:
    """List the newest reconciliations with their progress."""
    rows = await Runs(services.pocketbase).list_newest(limit)
    return ReconcileRuns(runs=[ReconcileRun.of(row) for row in rows])
