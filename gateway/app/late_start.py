"""Runs the lifespan of a mounted application from its first request on.

Starlette does not run the lifespans of mounted applications. The outer application should run ours
(docs/operations.md): background work then begins at the start, and an invalid setting is reported
there. If it does not, this module starts the gateway, so that no delivery is lost.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

_log = logging.getLogger(__name__)


class LateStart:
    """Holds the lifespan open until the event loop ends."""

    def __init__(self, run: Callable[[], AbstractAsyncContextManager[Any]]) -> None:
        self._run = run
        self._task: asyncio.Task[None] | None = None
        self._started: asyncio.Future[None] | None = None

    async def ensure(self) -> None:
        """Start, or wait for the current start; a failed start is retried by the next call.

        Raises:
            StartError: a setting or a declaration is wrong.
        """
        if self._started is None or self._task is None or self._task.done():
            _log.warning("mounted without its lifespan: starts at the first request")
            self._started = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._hold(self._started))
        await asyncio.shield(self._started)

    async def _hold(self, started: "asyncio.Future[None]") -> None:
        try:
            async with self._run():
                started.set_result(None)
                await asyncio.Event().wait()
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)
