"""The route that stores a new job."""

from typing import Literal

from gateway.pocketbase.contracts.route import Contract, HookRoute


class JobStart(Contract):
    """A job to store, unless its id exists or its user has too many; 0 means no limit."""

    id: str
    handler: str
    #: "" for a guest or the gateway itself.
    user: str
    #: The input, as JSON text.
    payload: str
    tries: int
    #: Jobs of the user and handler that wait or run.
    max_open: int
    #: Jobs of the user and handler that were started within the period.
    max_started: int
    period_seconds: int


class JobStartAnswer(Contract):
    """Whether the job is stored, and the payload of the row of this id, as JSON text."""

    outcome: Literal["created", "existing", "too_many_open", "too_many_started"]
    payload: str
    #: With ``too_many_started``: seconds until another one may start.
    retry_after: int


START_JOB = HookRoute("POST", "/api/gateway/jobs/start", JobStart, JobStartAnswer)
