"""An app with schedules that note their runs in a file."""

import json
import os
from pathlib import Path

from gateway import Gateway, HandlerContext, Tick

app = Gateway()


def _note(tick: Tick, context: HandlerContext) -> None:
    with Path(os.environ["NOTES"]).open("a") as notes:
        values = {"at": tick.time.isoformat(), "missed": tick.missed, "key": context.key}
        notes.write(json.dumps({"schedule": tick.schedule, **values}) + "\n")


@app.schedule("* * * * * *", name="every second")
async def follow(tick: Tick, context: HandlerContext) -> None:
    """Note the tick; the first attempt of every fifth second fails."""
    if tick.time.second % 5 == 0 and context.attempt == 1:
        raise RuntimeError("the other service does not answer")
    _note(tick, context)


@app.schedule("0 3 * * *", missed="run", timezone="Europe/Berlin", name="night run")
def run_later(tick: Tick, context: HandlerContext) -> None:
    """Note a night that was missed."""
    _note(tick, context)


@app.schedule("0 3 * * *", missed="skip", name="night skip")
def skip(tick: Tick, context: HandlerContext) -> None:
    """Note a night that was not missed."""
    _note(tick, context)


@app.schedule("30 3 1 1 *")
def yearly(tick: Tick, context: HandlerContext) -> None:
    """Never runs in a test."""
    _note(tick, context)
