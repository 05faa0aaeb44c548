"""A reconciliation as work of the queue, for /admin/reconcile.

The run's row has its cursor, so another process continues it if the gateway stops or is killed.
"""

from dataclasses import asdict

import stripe

from gateway.ids import record_id
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.work import NewItem
from gateway.reconcile.rate_limit import RateLimit
from gateway.reconcile.reconciliation import Reconciliation, Watcher
from gateway.reconcile.run import Options, ReconciliationUnderWay, Runs
from gateway.rows import Json
from gateway.stripe_api.own_account import OwnAccount
from gateway.webhooks.event_writer import EventWriter
from gateway.work import Cancel, Done, Outcome, WorkContext, WorkHandler, WorkItem, WorkQueue

RECONCILE = "gateway.reconcile.run"
#: About five hours in which Stripe or PocketBase may be unreachable.
_TRIES = 16


class BackgroundReconciliation:
    """At most one run at a time, in any process that works the queue."""

    def __init__(
        self,
        pocketbase: PocketBase,
        client: stripe.StripeClient,
        own_account: OwnAccount,
        event_writer: EventWriter,
        work: WorkQueue,
        rate: float,
    ) -> None:
        """Prepare runs.

        Args:
            rate: requests to Stripe per second of a run that names none.
        """
        self._rate = rate
        self._pocketbase = pocketbase
        self._client = client
        self._own_account = own_account
        self._event_writer = event_writer
        self._work = work
        self._runs = Runs(pocketbase)

    async def start(self, options: Options, rate: float | None = None) -> str:
        """Add a run to the queue, and return its id.

        Raises:
            ReconciliationUnderWay: another run is in the queue, or runs as a command.
            InvalidRequest: an option is not valid.
            PocketBaseUnavailable: it could not be stored.
        """
        await self._runs.wait_for_others()
        if await self._is_queued():
            raise ReconciliationUnderWay
        rate = rate or self._rate
        run = await self._build(options, rate).find_or_begin()
        item = NewItem(
            id=record_id(f"{RECONCILE} {run.id}"),
            kind="task",
            handler=RECONCILE,
            # One at a time, also if two gateways add one at once.
            key=RECONCILE,
            source=run.id,
            payload={"options": asdict(options), "rate": rate},
            tries=_TRIES,
            coalesce=True,
        )
        await self._work.enqueue([item])
        return run.id

    async def run(self, item: WorkItem, context: WorkContext) -> Outcome:
        """Run or continue the reconciliation of an item, unless its row was deleted."""
        row = await self._runs.find(item.source)
        if row is None:
            return Cancel("the row of this reconciliation was deleted")
        # A process that was killed at the end of a run has not stored the item's result.
        if row["finished"]:
            return Done()
        options: Json = item.payload["options"]
        scope = Options(**{**options, "only": tuple(options["only"])})
        await self._build(scope, item.payload["rate"]).run()
        return Done()

    @property
    def handler(self) -> WorkHandler:
        """Return the work handler."""
        return WorkHandler(RECONCILE, self.run, tries=_TRIES, timeout=None, concurrency=1)

    def _build(self, options: Options, rate: float) -> Reconciliation:
        return Reconciliation(
            self._pocketbase,
            self._client,
            self._own_account,
            self._event_writer,
            options=options,
            pace=RateLimit(rate),
            watcher=Watcher(),
        )

    async def _is_queued(self) -> bool:
        counts = (await self._work.status()).counts
        return any(each.handler == RECONCILE and each.status != "parked" for each in counts)
