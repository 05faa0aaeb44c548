"""Runs a job's function as a handler of the queue."""

import asyncio
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from gateway.exact_numbers import check_exact
from gateway.jobs.context import JobContext
from gateway.jobs.declaration import Job
from gateway.jobs.state import JobState, check_size, to_json, unwrap
from gateway.work import Done, GiveUp, Outcome, Park, Retry, WorkContext, WorkHandler, WorkItem


def build_handler(job: Job, shared: Mapping[str, Any]) -> WorkHandler:
    """Return the handler of a job.

    Args:
        shared: members of every `JobContext`: the clients, the settings and the app's state.
    """

    async def run(item: WorkItem, work: WorkContext) -> Outcome:
        return await run_job(job, item, work, shared)

    # The limit of time is the job's own: a late attempt has its own message.
    return WorkHandler(job.handler, run, tries=job.tries, timeout=None, concurrency=job.concurrency)


async def run_job(
    job: Job, item: WorkItem, work: WorkContext, shared: Mapping[str, Any]
) -> Outcome:
    """Run one attempt, and return its outcome; exceptions of the function are raised.

    Args:
        shared: see `build_handler`.
    """
    context = JobContext(
        key=item.id,
        user=item.user,
        attempt=item.attempts,
        _save=work.save,
        _done=JobState.read(item.state),
        **shared,
    )
    try:
        arguments = [job.model.model_validate(unwrap(item.payload))] if job.model else []
    except ValidationError as error:
        # Another release of the app stored it.
        return Park(f"The stored input does not fit {job.name}: {error.error_count()} errors.")
    return await _call(job, arguments, context)


async def _call(job: Job, arguments: list[Any], context: JobContext) -> Outcome:
    try:
        async with asyncio.timeout(job.timeout) as limit:
            returned = await job.function(*arguments, context)
    except TimeoutError:
        # Otherwise the function's own.
        if not limit.expired():
            raise
        await context.finish()
        return Retry(f"It took longer than {job.timeout:g} seconds.")
    except GiveUp as error:
        await context.finish()
        return Park(str(error), result={"message": str(error)})
    await context.finish()
    return _read_result(returned)


def _read_result(returned: Any) -> Outcome:
    """Return the outcome of a returned value; one that can't be stored is a mistake in the code."""
    try:
        result = to_json(returned)
        check_size(result, "the members of the result")
        check_exact(result, "the members of the result")
    except ValueError as error:
        return Park(f"The result can't be stored: {error}")
    return Done(result)
