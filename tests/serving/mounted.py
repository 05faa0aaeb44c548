"""An app of a team's own, with the gateway mounted under a path."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tests.transforms.sample_transforms import app as gateway


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with gateway.router.lifespan_context(gateway):
        yield


app = FastAPI(lifespan=_lifespan)
app.mount("/shop", gateway)
