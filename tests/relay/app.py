"""An app with one job, which notes each of its runs in a file."""

import asyncio
import os
from pathlib import Path

from pydantic import BaseModel

from gateway import Gateway, JobContext

app = Gateway()


class Note(BaseModel):
    """A run's place in the order of its key."""

    key: str
    number: int


@app.job()
async def note(entry: Note, job: JobContext) -> int:
    """Append one line at once, then take a while."""
    line = f"{job.key} {entry.key or '-'} {entry.number}\n".encode()
    file = os.open(Path(os.environ["RELAY_NOTES"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, line)
    finally:
        os.close(file)
    await asyncio.sleep(0.02)
    return entry.number
