"""The relay's side of the tables: what one turn sends to PocketBase, and what it stores after."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from procrastinate import App
from procrastinate.exceptions import ConnectorException
from psycopg import AsyncConnection

from gateway.pocketbase.contracts.work import ClaimedItem, Renewal, Settle
from gateway.relay.database import Pool
from gateway.relay.jobs import describe_job
from gateway.relay.worker_tables import NOTIFY

#: Seconds of a lease in PocketBase: longer than any process needs to lead after another.
LEASE_SECONDS = 600
#: Seconds in which the leading process must come back before another one leads.
LEADER_SECONDS = 15
#: Seconds after which a worker that is not seen counts as gone.
WORKER_SECONDS = 20
_RENEW_SECONDS = 20
_MAX_RESULTS = 128
_MAX_RENEWALS = 200

_LEAD = """
    UPDATE gateway_relay SET leader = %(name)s, leads_until = now() + %(seconds)s * interval '1 s'
    WHERE leader = %(name)s OR leads_until < now() RETURNING token"""
_RESIGN = "UPDATE gateway_relay SET leads_until = '-infinity' WHERE leader = %s"
_RESULTS = """
    SELECT id, claim, item, result FROM gateway_relayed_items WHERE result IS NOT NULL LIMIT %s"""
_RENEWALS = """
    SELECT id, claim FROM gateway_relayed_items
    WHERE result IS NULL AND renewed_at < now() - %s * interval '1 s'
    ORDER BY renewed_at LIMIT %s"""
_IN_FLIGHT = "SELECT handler, count(*) FROM gateway_relayed_items GROUP BY handler"
_WORKERS = """
    SELECT handler, sum(concurrency::int) FROM gateway_workers,
        jsonb_each_text(handlers) AS each (handler, concurrency)
    WHERE seen_at > now() - %s * interval '1 s' GROUP BY handler"""
_NEXT_TOKEN = "UPDATE gateway_relay SET token = %s WHERE token = %s"  # noqa: S105
_KNOWN = "SELECT id FROM gateway_relayed_items WHERE id = ANY(%s) AND claim = %s"
# A row that is there keeps its job and its result: only the claim is new.
_INSERT = """
    INSERT INTO gateway_relayed_items (id, handler, claim, item) VALUES (%s, %s, %s, %s)
    ON CONFLICT (id) DO UPDATE SET claim = excluded.claim, item = excluded.item, renewed_at = now()
    RETURNING xmax = 0"""
_SET_JOB = "UPDATE gateway_relayed_items SET job = %s WHERE id = %s"
_DELETE = "DELETE FROM gateway_relayed_items WHERE id = %s AND claim = %s RETURNING job"
_REPLACE = "UPDATE gateway_relayed_items SET result = %s WHERE id = %s AND claim = %s"
_RENEWED = "UPDATE gateway_relayed_items SET renewed_at = now() WHERE id = ANY(%s)"
_ANSWER = """
    UPDATE gateway_relayed_items SET result = %s WHERE id = %s AND claim = %s AND result IS NULL
    RETURNING job"""
# Items whose job has ended or is gone without a result.
_ABANDONED = """
    SELECT item.id, item.claim, item.item, item.starts FROM gateway_relayed_items item
    LEFT JOIN procrastinate_jobs job ON job.id = item.job
    WHERE item.result IS NULL AND item.renewed_at < now() - %s * interval '1 s'
        AND (job.id IS NULL OR job.status NOT IN ('todo', 'doing')) LIMIT 100"""


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A result that PocketBase does not have yet, with its item."""

    item: ClaimedItem
    settle: Settle


@dataclass(frozen=True, slots=True)
class Turn:
    """The tables at the start of a turn."""

    token: str
    results: tuple[StoredResult, ...]
    renewals: tuple[Renewal, ...]
    #: Items by handler that can be taken: the workers' concurrency without what is in flight.
    free: Mapping[str, int]


class RelayTables:
    """The tables, as the leading process uses them."""

    def __init__(self, pool: Pool, procrastinate: App) -> None:
        self._pool = pool
        self._procrastinate = procrastinate
        self._name = token_hex(8)

    async def begin(self, max_results: int = _MAX_RESULTS) -> Turn | None:
        """Return the state for a turn; None if another process leads."""
        async with self._pool.connection() as connection:
            lead = {"name": self._name, "seconds": LEADER_SECONDS}
            token = await (await connection.execute(_LEAD, lead)).fetchone()
            if token is None:
                return None
            results = await _fetch(connection, _RESULTS, max_results)
            renewals = await _fetch(connection, _RENEWALS, _RENEW_SECONDS, _MAX_RENEWALS)
            in_flight = dict(await _fetch(connection, _IN_FLIGHT))
            workers = await _fetch(connection, _WORKERS, WORKER_SECONDS)
        return Turn(
            token=token[0],
            results=tuple(_read_result(*row) for row in results),
            renewals=tuple(Renewal(id=id, claim=claim) for id, claim in renewals),
            free={name: max(0, number - in_flight.get(name, 0)) for name, number in workers},
        )

    async def resign(self) -> None:
        """Let another process lead at once."""
        async with self._pool.connection() as connection:
            await connection.execute(_RESIGN, (self._name,))

    async def announce_work(self) -> None:
        """Let the leading process look for due items now."""
        async with self._pool.connection() as connection:
            await connection.execute(NOTIFY)

    async def insert(self, token: str, items: Sequence[ClaimedItem]) -> Sequence[ClaimedItem]:
        """Store claimed items with their jobs, and the next token.

        Returns:
            The items that must be given back, because another process has led meanwhile.
        """
        async with self._pool.connection() as connection, connection.transaction():
            changed = await connection.execute(_NEXT_TOKEN, (token_hex(16), token))
            if not changed.rowcount:
                known = await _fetch(connection, _KNOWN, [item.id for item in items], token)
                return [item for item in items if (item.id,) not in known]
            new = [item for item in items if await _insert(connection, item)]
            await self._defer(connection, new)
        return ()

    async def _defer(self, connection: AsyncConnection[Any], items: list[ClaimedItem]) -> None:
        if not items:
            return
        jobs = await self._procrastinate.job_manager.batch_defer_jobs_async(
            [describe_job(item) for item in items], connection
        )
        async with connection.cursor() as cursor:
            pairs = zip(jobs, items, strict=True)
            await cursor.executemany(_SET_JOB, [(job.id, item.id) for job, item in pairs])

    async def delete(self, sent: Iterable[Settle | Renewal]) -> None:
        """Delete items that PocketBase has settled, or that are not ours any more."""
        async with self._pool.connection() as connection:
            for each in sent:
                found = await (await connection.execute(_DELETE, (each.id, each.claim))).fetchone()
                if found and isinstance(each, Renewal):
                    await self._cancel_job(found[0])

    async def replace(self, settle: Settle) -> None:
        """Store another result than the one that PocketBase refused."""
        async with self._pool.connection() as connection:
            text = settle.model_dump_json()
            await connection.execute(_REPLACE, (text, settle.id, settle.claim))

    async def answer(self, settle: Settle) -> None:
        """Store a result for an item without one, and end its job."""
        async with self._pool.connection() as connection:
            values = (settle.model_dump_json(), settle.id, settle.claim)
            found = await (await connection.execute(_ANSWER, values)).fetchone()
        if found:
            await self._cancel_job(found[0])

    async def mark_renewed(self, ids: Sequence[str]) -> None:
        """Note that PocketBase has renewed these leases."""
        async with self._pool.connection() as connection:
            await connection.execute(_RENEWED, (list(ids),))

    async def find_abandoned(self) -> list[tuple[ClaimedItem, int]]:
        """Return items whose job ended without a result, and how often it was started."""
        async with self._pool.connection() as connection:
            rows = await _fetch(connection, _ABANDONED, _RENEW_SECONDS)
        return [(_read_item(item, claim), starts) for _, claim, item, starts in rows]

    async def retry_stalled(self) -> None:
        """Let other workers run the jobs of workers that have died."""
        manager = self._procrastinate.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=WORKER_SECONDS):
            # It may have ended since.
            with suppress(ConnectorException):
                await manager.retry_job(job)

    async def _cancel_job(self, job: int | None) -> None:
        if job is not None:
            await self._procrastinate.job_manager.cancel_job_by_id_async(job, abort=True)


async def _insert(connection: AsyncConnection[Any], item: ClaimedItem) -> bool:
    """Return whether the item is new here."""
    values = (item.id, item.handler, item.claim, item.model_dump_json())
    return await (await connection.execute(_INSERT, values)).fetchone() == (True,)


def _read_result(id: str, claim: str, item: str, result: str) -> StoredResult:
    # The claim may be newer than the result.
    settle = Settle.model_validate_json(result).model_copy(update={"claim": claim})
    return StoredResult(_read_item(item, claim), settle)


def _read_item(text: str, claim: str) -> ClaimedItem:
    return ClaimedItem.model_validate_json(text).model_copy(update={"claim": claim})


async def _fetch(
    connection: AsyncConnection[Any], query: str, *values: Any
) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query.encode(), values)).fetchall()
