"""Responses of the job endpoints."""

from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from gateway.jobs.row import JobRow


class JobProgress(BaseModel, extra="allow"):
    """A job's latest progress, with further members of its own."""

    fraction: float | None = Field(description="From 0 to 1; null if it is not known.")
    message: str


class JobStatus(BaseModel):
    """A job as its user sees it."""

    id: str = Field(description="Also the id of its record in PocketBase's collection.")
    name: str
    status: Literal["waiting", "running", "done", "parked", "cancelled"] = Field(
        description=(
            "`waiting` also means: it failed and is tried again. `parked`: all tries failed."
        )
    )
    attempts: int
    progress: JobProgress | None = Field(description="The last progress; null before the first.")
    result: Any = Field(description="The function's return value; null unless the job is `done`.")
    error: str = Field(description="Why it is `parked` or `cancelled`; otherwise empty.")
    created: str
    completed_at: str = Field(description="Empty unless it has ended.")

    @classmethod
    def of(cls, row: JobRow) -> Self:
        """Return the response for a row."""
        progress = JobProgress.model_validate(row.progress) if row.progress else None
        return cls(
            id=row.id,
            name=row.name,
            status=row.status,  # type: ignore[arg-type]
            attempts=row.attempts,
            progress=progress,
            result=row.result,
            error=row.error,
            created=row.created,
            completed_at=row.completed_at,
        )
