"""Runs work in parts that is too long for one PocketBase transaction.

Examples: features of a price with many buyers change, a customer with many rows gets an owner.
PocketBase stores the work in the transaction of the change (pb_hooks/lib/mirror/deferred_work.js),
and its progress with each part, so any number of gateways can work on it, and any can stop.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import NoReturn

from gateway.background import repeat
from gateway.errors import GatewayError
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.pocketbase.contracts.events import DEFERRED_WORK
from gateway.pocketbase.contracts.route import Empty
from gateway.pocketbase.hook_call import call_hook

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class DeferredWork:
    """Runs beside the requests."""

    pocketbase: PocketBase

    async def run(self) -> NoReturn:
        """Poll every two seconds; failures are logged and retried."""
        passing = GatewayError, PocketBaseRefused
        await repeat(self._do_parts, _PAUSE_SECONDS, _log, "deferred work", *passing)

    async def _do_parts(self) -> None:
        while await self.do_part():
            pass

    async def do_part(self) -> bool:
        """Run one part; return whether there may be more.

        Raises:
            PocketBaseRefused, PocketBaseUnavailable
        """
        started = time.monotonic()
        answer = await call_hook(self.pocketbase, DEFERRED_WORK, Empty())
        if answer.error:
            _log.error("deferred work failed", extra={"reason": answer.error})
        if answer.left:
            # Half of PocketBase's time is for others.
            await asyncio.sleep(time.monotonic() - started)
        return answer.left
