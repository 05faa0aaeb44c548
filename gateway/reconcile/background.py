"""A reconciliation beside the requests, for /admin/reconcile."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import stripe

from gateway.dates import from_column
from gateway.errors import GatewayError
from gateway.pocketbase import PocketBase
from gateway.reconcile.rate_limit import RateLimit
from gateway.reconcile.reconciliation import Reconciliation, Watcher
from gateway.reconcile.run import Options, Run, Runs
from gateway.rows import Json
from gateway.stripe_api.own_account import OwnAccount
from gateway.webhooks.event_writer import EventWriter

_log = logging.getLogger(__name__)
#: A run that has not saved its cursor for this long is no longer running anywhere.
_ALIVE = timedelta(seconds=90)


class ReconciliationUnderWay(GatewayError):
    """A reconciliation is already running."""

    status = 409


class BackgroundReconciliation:
    """At most one run at a time; one that is broken off is continued by the next start."""

    def __init__(
        self,
        pocketbase: PocketBase,
        client: stripe.StripeClient,
        own_account: OwnAccount,
        event_writer: EventWriter,
    ) -> None:
        self._pocketbase = pocketbase
        self._client = client
        self._own_account = own_account
        self._event_writer = event_writer
        self._runs = Runs(pocketbase)
        self._task: asyncio.Task[None] | None = None

    async def start(self, options: Options, rate: float) -> str:
        """Start a run, and return its id once it is kept.

        Raises:
            ReconciliationUnderWay: here, or in another gateway.
            InvalidRequest: an option makes no sense.
            PocketBaseUnavailable: it could not be kept.
        """
        newest = await self._runs.list_newest(1)
        if (self._task and not self._task.done()) or any(map(is_under_way, newest)):
            raise ReconciliationUnderWay
        begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(options, rate, begun))
        return await begun

    async def close(self) -> None:
        """Break off the run, if there is one."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, options: Options, rate: float, begun: "asyncio.Future[str]") -> None:
        def tell(run: Run) -> None:
            begun.set_result(run.id)

        reconciliation = Reconciliation(
            self._pocketbase,
            self._client,
            self._own_account,
            self._event_writer,
            options=options,
            pace=RateLimit(rate),
            watcher=Watcher(on_begin=tell),
        )
        try:
            await reconciliation.run()
        except Exception as error:
            if not begun.done():
                begun.set_exception(error)
                return
            _log.exception("reconcile aborted")


def is_under_way(row: Json) -> bool:
    """Whether a run, as its row shows it, is going on in some process."""
    is_alive = datetime.now(UTC) - from_column(row["updated"]) < _ALIVE
    return is_alive and not row["finished"] and not row["error"]
