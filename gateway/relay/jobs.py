"""The job of procrastinate that runs one item."""

from hashlib import sha256

from procrastinate.jobs import Job, Status

from gateway.pocketbase.contracts.work import ClaimedItem

#: The name of the task of all jobs.
TASK = "gateway.work"
#: Of a queue's name, in characters.
_MAX_QUEUE = 128


def describe_job(item: ClaimedItem) -> Job:
    """Return the job of an item: in its handler's queue, under the lock of its key."""
    return Job(
        id=None,
        status=Status.TODO.value,
        queue=queue_of(item.handler),
        lock=f"{item.handler} {item.key}" if item.key else None,
        queueing_lock=None,
        task_name=TASK,
        task_kwargs={"id": item.id},
    )


def queue_of(handler: str) -> str:
    """Return the queue of a handler, so that workers get only jobs that they can run."""
    if len(handler) <= _MAX_QUEUE:
        return handler
    return sha256(handler.encode()).hexdigest()
