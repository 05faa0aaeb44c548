"""A job's state as server-sent events. Pure."""

from hashlib import sha256
from typing import Any

from fastapi.sse import format_sse_event

from gateway.jobs.row import JobRow
from gateway.json_codec import dump_text

#: Names of the last event, by status. "error" is the name of EventSource's own event.
_LAST = {"done": "result", "parked": "failed", "cancelled": "cancelled"}


def event_id(job: JobRow) -> str:
    """Return the id of the event that shows a state: a digest of what it shows.

    A client that sends it as ``Last-Event-ID`` gets the state only if it has changed since. Any
    other value, of whatever form, is the id of no state.
    """
    return sha256(dump_text([job.status, *_data_of(job).values()]).encode()).hexdigest()[:16]


def format_event(job: JobRow) -> bytes:
    """Return the event that shows a state: ``progress``, or the last one of a finished job."""
    return format_sse_event(
        event=_LAST.get(job.status, "progress"), data_str=dump_text(_data_of(job)), id=event_id(job)
    )


def _data_of(job: JobRow) -> dict[str, Any]:
    if job.status == "done":
        return {"status": job.status, "result": job.result}
    if job.is_finished:
        return {"status": job.status, "error": job.error}
    return {"status": job.status, "attempts": job.attempts, "progress": job.progress}
