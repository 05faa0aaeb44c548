"""The gateway's own jobs, which commands start."""

from gateway.bulk.run_transform import RunInput, run_transform
from gateway.jobs.context import JobContext
from gateway.jobs.declaration import Job
from gateway.pocketbase import PocketBase
from gateway.rows import Json

#: Seconds of one attempt; after them, the next continues with the next page.
_TIMEOUT_SECONDS = 3600.0
_TRIES = 100


def build_transform_job(pocketbase: PocketBase) -> Job:
    """Return the job of `gateway transforms run`."""

    async def run(input: RunInput, job: JobContext) -> Json:
        """Run a transform on all records of a collection."""
        return await run_transform(input, job, pocketbase)

    return Job(
        "run_transform",
        run,
        RunInput,
        is_internal=True,
        tries=_TRIES,
        timeout=_TIMEOUT_SECONDS,
        concurrency=1,
    )
