"""A job's row, as its user sees it."""

from dataclasses import dataclass
from typing import Any, Self

from gateway.jobs.declaration import name_of
from gateway.rows import Json

#: Statuses that a row leaves only by an operator's retry.
FINISHED = ("done", "parked", "cancelled")
_FAILED = "The job failed."


@dataclass(frozen=True, slots=True)
class JobRow:
    """The present state of a job."""

    id: str
    name: str
    user: str
    status: str
    attempts: int
    #: The latest progress; None before the first.
    progress: Json | None
    #: The function's return value; None unless it is done.
    result: Any
    #: The reason of a failure or cancellation; "" otherwise.
    error: str
    created: str
    completed_at: str

    @classmethod
    def of(cls, row: Json) -> Self:
        """Return the state of a record of the queue; internal texts are left out."""
        status, stored = row["status"], row.get("result")
        return cls(
            id=row["id"],
            name=name_of(row["handler"]),
            user=row["user"],
            status=status,
            attempts=row["attempts"],
            progress=row.get("progress") or None,
            result=stored if status == "done" else None,
            error=_describe_end(status, stored),
            created=row["created"],
            completed_at=row["completed_at"],
        )

    @property
    def is_finished(self) -> bool:
        """Whether nothing more happens."""
        return self.status in FINISHED


def _describe_end(status: str, stored: Any) -> str:
    if status == "cancelled":
        return "The job was cancelled."
    if status != "parked":
        return ""
    return str(stored.get("message") or _FAILED) if isinstance(stored, dict) else _FAILED
