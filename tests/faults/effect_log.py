"""An HTTP service outside PocketBase with a log of the handlers' real effects."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI
from pydantic import BaseModel

from tests.simulator.served import serving


class Effect(BaseModel):
    """One attempt of a handler, and the process that made it."""

    handler: str
    key: str
    ticket: str
    number: int
    replica: str


@dataclass(slots=True)
class EffectLog:
    """The effects in the order of their arrival."""

    chance: random.Random
    url: str = ""
    effects: list[Effect] = field(default_factory=list)
    #: Requests without an answer, by replica: so many of its handlers run.
    under_way: Counter[str] = field(default_factory=Counter)

    async def take(self, effect: Effect) -> None:
        """Log an effect at once, and answer after a while."""
        self.effects.append(effect)
        self.under_way[effect.replica] += 1
        try:
            await asyncio.sleep(self.chance.uniform(0.02, 0.4))
        finally:
            self.under_way[effect.replica] -= 1

    def of(self, handler: str) -> list[Effect]:
        """Return the effects of one handler."""
        return [each for each in self.effects if each.handler == handler]


@asynccontextmanager
async def open_effect_log(chance: random.Random) -> AsyncIterator[EffectLog]:
    """Serve the log in this process."""
    log = EffectLog(chance)
    app = FastAPI()
    app.post("/effects", status_code=204)(log.take)
    async with serving(app) as base:
        log.url = f"{base}/effects"
        yield log
