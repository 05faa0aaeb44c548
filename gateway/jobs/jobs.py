"""Starts, reads and cancels jobs: for the endpoints, and for a team's own code (`Jobs`)."""

from collections.abc import Callable, Mapping
from secrets import choice
from string import ascii_lowercase, digits

from pydantic import BaseModel

from gateway.callers import AuthRecord
from gateway.errors import Conflict, IdempotencyKeyReused, NotFound, RateLimited
from gateway.ids import record_id
from gateway.jobs.declaration import Job, JobFunction
from gateway.jobs.row import JobRow
from gateway.jobs.state import check_size, wrap
from gateway.json_codec import dump_text, load
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.jobs import START_JOB, JobStart, JobStartAnswer
from gateway.pocketbase.hook_call import call_hook
from gateway.work import WorkQueue

_ALPHABET = ascii_lowercase + digits
_ID_CHARACTERS = 15


class NoSuchJob(NotFound):
    """You have no such job."""


class TooManyJobs(RateLimited):
    """You have too many jobs of this kind."""

    # Clients wait in the same way.
    kind = RateLimited


class JobFinished(Conflict):
    """The job has ended already."""


class Jobs:
    """The jobs of an app, as rows of the queue."""

    def __init__(self, pocketbase: PocketBase, queue: WorkQueue, jobs: Mapping[str, Job]) -> None:
        self._pocketbase = pocketbase
        self._queue = queue
        self._jobs = jobs
        self._functions = {job.function: job for job in jobs.values()}
        #: Cancels the attempt of a job that this process runs.
        self.stop_here: Callable[[str], None] = lambda _: None

    async def start(
        self,
        job: str | JobFunction,
        input: BaseModel | None = None,
        *,
        user: str = "",
        idempotency_key: str = "",
    ) -> JobRow:
        """Store a job, and return its row; a gateway or worker runs it at once.

        Args:
            job: the function, or the job's name.
            input: an instance of the function's model.
            user: the id of the user who may read and cancel it; their limits apply.
            idempotency_key: a second start with the same key, job and user returns the first one's
                row, for as long as the queue keeps it (seven days after its end).

        Raises:
            IdempotencyKeyReused: the key was used with another input.
            TooManyJobs: the user has as many jobs as the limits of the job allow.
            LookupError: there is no such job.
        """
        found = self._jobs[job] if isinstance(job, str) else self._functions[job]
        values = input.model_dump(mode="json", by_alias=True) if input is not None else None
        check_size(values, "the members of the input")
        payload = dump_text(wrap(values))
        request = _describe_start(found, payload, user, idempotency_key)
        answer = await call_hook(self._pocketbase, START_JOB, request)
        _check_answer(answer, payload, found)
        self._queue.wake()
        return await self.read(request.id)

    async def read(self, id: str) -> JobRow:
        """Return a job.

        Raises:
            NoSuchJob
        """
        row = await self._queue.find(id) if _is_id(id) else None
        if row is None or row["kind"] != "job":
            raise NoSuchJob
        return JobRow.of(row)

    async def cancel(self, id: str) -> JobRow:
        """Cancel a job, and return its row: one that waits at once, one that runs soon.

        Raises:
            NoSuchJob
            JobFinished: it is done or parked.
        """
        row = await self.read(id)
        if not row.is_finished:
            await self._queue.cancel([id])
            self.stop_here(id)
            row = await self.read(id)
        if row.status in ("done", "parked"):
            raise JobFinished
        return row


def owner_of(caller: AuthRecord | None) -> str:
    """Return the user of a caller's jobs, "" for a guest.

    Superusers are named with their collection, so that no user can have the same name.
    """
    if caller is None:
        return ""
    return f"{caller.collection}/{caller.id}" if caller.is_superuser else caller.id


def _is_id(text: str) -> bool:
    return len(text) == _ID_CHARACTERS and all(character in _ALPHABET for character in text)


def _describe_start(job: Job, payload: str, user: str, key: str) -> JobStart:
    return JobStart(
        id=_choose_id(job, payload, user, key),
        handler=job.handler,
        user=user,
        payload=payload,
        tries=job.tries,
        max_open=job.limits.max_open,
        max_started=job.limits.max_started,
        period_seconds=job.limits.period_seconds,
    )


def _choose_id(job: Job, payload: str, user: str, key: str) -> str:
    """Return the id of a new row, or that of a key.

    A guest's row is readable by its id, so that of a guest depends on the input as well: a guessed
    key alone does not lead to the job of another guest.
    """
    if not key:
        return "".join(choice(_ALPHABET) for _ in range(_ID_CHARACTERS))
    return record_id("\n".join(["job", job.name, user, key, "" if user else payload]))


def _check_answer(answer: JobStartAnswer, payload: str, job: Job) -> None:
    if answer.outcome == "existing" and load(answer.payload or "null") != load(payload):
        raise IdempotencyKeyReused
    if answer.outcome == "too_many_open":
        raise TooManyJobs(
            f"At most {job.limits.max_open} jobs {job.name} may wait or run per user: wait for the"
            " end of one, or cancel it."
        )
    if answer.outcome == "too_many_started":
        limits = job.limits
        raise TooManyJobs(
            f"At most {limits.max_started} jobs {job.name} may be started per user within"
            f" {limits.period_seconds} seconds.",
            answer.retry_after,
        )
