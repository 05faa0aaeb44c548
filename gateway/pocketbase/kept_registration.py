"""Keeps a declaration registered at PocketBase: registers, renews the lease, reports obstacles."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.background import is_unanswered, run_in_background
from gateway.errors import GatewayError, Unavailable
from gateway.pocketbase.client import PocketBaseRefused

#: Seconds between two attempts while PocketBase does not answer.
_RETRY_SECONDS = 1.0
#: Seconds after which the lease is renewed; it is valid for ten
#: (pb_hooks/lib/registrations/lease.js).
_RENEW_SECONDS = 3.0
_log = logging.getLogger(__name__)


class NotRegistered(Unavailable):
    """PocketBase does not use what the app declares yet."""


class Overruled(NotRegistered):
    """PocketBase uses the declarations of another gateway."""


class UnfitCollections(NotRegistered):
    """A collection does not match what the app declares."""


class KeptRegistration(ABC):
    """Registers one kind of declarations, and renews their lease."""

    def __init__(self, kind: str) -> None:
        """Register nothing yet.

        Args:
            kind: a noun for log lines: "<kind> registration".
        """
        self._kind = kind
        #: Why PocketBase does not use the declarations; "" if it does.
        self._obstacle = f"The gateway is still registering its {kind}s."
        #: The error class of the obstacle.
        self._error: type[NotRegistered] = NotRegistered
        #: The last logged obstacle.
        self._logged = ""

    @abstractmethod
    async def register(self) -> str:
        """Register once; return the missing collections that may come later.

        Raises:
            NotRegistered: PocketBase does not use the declarations.
        """

    @asynccontextmanager
    async def keep(self) -> AsyncIterator[None]:
        """Register once before the block runs, and keep registering while it runs."""
        delay = await self._try()
        async with run_in_background(self._repeat(delay)):
            yield

    async def check(self) -> None:
        """Check that PocketBase uses the declarations, by registering now.

        Raises:
            NotRegistered: the detail has the reason.
        """
        await self._try()
        if self._obstacle:
            raise self._error(self._obstacle)

    async def _repeat(self, delay: float) -> None:
        while True:
            await asyncio.sleep(delay)
            delay = await self._try()

    async def _try(self) -> float:
        """Register once; return the seconds until the next attempt."""
        try:
            absent = await self.register()
        except PocketBaseRefused as refused:
            self._set_obstacle(str(refused), logging.ERROR)
        except NotRegistered as fault:
            self._set_obstacle(fault.detail, logging.WARNING, type(fault))
        except GatewayError as error:
            level = logging.DEBUG if is_unanswered(error) else logging.WARNING
            self._set_obstacle(error.detail, level)
            return _RETRY_SECONDS
        else:
            self._set_obstacle(f"These collections may come later: {absent}." if absent else "")
            self._obstacle = ""
        return _RENEW_SECONDS

    def _set_obstacle(
        self,
        obstacle: str,
        level: int = logging.WARNING,
        error: type[NotRegistered] = NotRegistered,
    ) -> None:
        if obstacle and obstacle != self._logged:
            _log.log(level, "%s registration", self._kind, extra={"reason": obstacle})
        self._logged = self._obstacle = obstacle
        self._error = error
