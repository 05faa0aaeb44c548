"""The workers' side of the tables: the start and the result of an item."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from procrastinate.jobs import Job

from gateway.json_codec import dump_text
from gateway.pocketbase.contracts.work import ClaimedItem, Settle
from gateway.relay.database import Pool

#: The channel on which results and new work are announced to the relay.
CHANNEL = "gateway_relay"

_START = """
    UPDATE gateway_relayed_items SET starts = starts + 1
    WHERE id = %s AND job = %s AND result IS NULL
    RETURNING item, claim, starts"""
_FINISH = """
    UPDATE gateway_relayed_items SET result = %s WHERE id = %s AND job = %s AND result IS NULL"""
_READ_ITEM = "SELECT item FROM gateway_relayed_items WHERE id = %s AND job = %s FOR UPDATE"
_WRITE_ITEM = "UPDATE gateway_relayed_items SET item = %s WHERE id = %s"
# As procrastinate's retry; nothing if the job's end was stored, or another worker has it.
_RELEASE = """
    UPDATE procrastinate_jobs SET status = 'todo', attempts = attempts + 1, scheduled_at = now()
    WHERE id = %s AND attempts = %s AND worker_id = %s AND status = 'doing'"""
_SEEN = """
    INSERT INTO gateway_workers (name, handlers) VALUES (%s, %s::jsonb)
    ON CONFLICT (name) DO UPDATE SET handlers = excluded.handlers, seen_at = now()"""
_FORGET = "DELETE FROM gateway_workers WHERE name = %s OR seen_at < now() - interval '1 hour'"
#: Lets the leading relay look for results and due items now.
NOTIFY = f"NOTIFY {CHANNEL}"


@dataclass(frozen=True, slots=True)
class Start:
    """An item to run, and how often a job has started it, this time included."""

    item: ClaimedItem
    starts: int


class WorkerTables:
    """The tables, as workers use them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def start(self, id: str, job: int) -> Start | None:
        """Return the item of a job; None if it has a result or belongs to another job."""
        async with self._pool.connection() as connection:
            found = await (await connection.execute(_START, (id, job))).fetchone()
        if found is None:
            return None
        text, claim, starts = found
        item = ClaimedItem.model_validate_json(text)
        # Starts whose worker died are attempts too.
        current = {"claim": claim, "attempts": item.attempts + starts - 1}
        return Start(item.model_copy(update=current), starts)

    async def save_state(self, id: str, job: int, state: Any) -> None:
        """Store the state of an item for the next start, if this worker dies."""
        async with self._pool.connection() as connection:
            found = await (await connection.execute(_READ_ITEM, (id, job))).fetchone()
            if found:
                item = ClaimedItem.model_validate_json(found[0])
                text = item.model_copy(update={"state": state}).model_dump_json()
                await connection.execute(_WRITE_ITEM, (text, id))

    async def finish(self, settle: Settle, job: int) -> None:
        """Store the result, unless there is one."""
        async with self._pool.connection() as connection:
            await connection.execute(_FINISH, (settle.model_dump_json(), settle.id, job))
            await connection.execute(NOTIFY)

    async def release(self, job: Job) -> None:
        """Let a job run again that has ended here, unless its end is stored."""
        async with self._pool.connection() as connection:
            await connection.execute(_RELEASE, (job.id, job.attempts, job.worker_id))

    async def announce_worker(self, name: str, handlers: Mapping[str, int]) -> None:
        """Note that a worker is alive, and how many items of which handlers it runs at once."""
        async with self._pool.connection() as connection:
            await connection.execute(_SEEN, (name, dump_text(dict(handlers))))

    async def forget_worker(self, name: str) -> None:
        """Note that a worker ends."""
        async with self._pool.connection() as connection:
            await connection.execute(_FORGET, (name,))
