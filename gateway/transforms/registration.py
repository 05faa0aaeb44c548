"""Registers the transforms at PocketBase, which stores the table and so fails closed."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex

from gateway.background import run_in_background
from gateway.errors import GatewayError, Unavailable
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.pocketbase.contracts.transforms import REGISTER, RegisterRequest, TransformEntry
from gateway.pocketbase.hook_call import call_hook
from gateway.settings import Settings
from gateway.transforms.collection_check import find_absent, find_faults
from gateway.transforms.hook_endpoint import PATH
from gateway.transforms.hook_signature import sign
from gateway.transforms.table import Table

#: Seconds between two attempts while PocketBase does not answer.
_RETRY_SECONDS = 1.0
#: Seconds after which the lease is renewed; it is valid for ten (pb_hooks/lib/transforms/lease.js).
_RENEW_SECONDS = 3.0
_log = logging.getLogger(__name__)


class NotRegistered(Unavailable):
    """PocketBase does not use the transforms yet."""


class Overruled(NotRegistered):
    """PocketBase uses another gateway's table of transforms."""


class UnfitCollections(NotRegistered):
    """A collection does not match its transform."""


class Registration:
    """Registers one table of transforms, and renews its lease."""

    def __init__(self, settings: Settings, pocketbase: PocketBase, table: Table) -> None:
        self._pocketbase = pocketbase
        self._table = table
        #: Why PocketBase does not use the table; "" if it does.
        self._obstacle = "The gateway is still registering its transforms."
        #: The error class of the obstacle.
        self._kind: type[NotRegistered] = NotRegistered
        #: The last logged obstacle.
        self._logged = ""
        self._keys = settings.hook_keys
        self._body = _describe_table(settings, table).model_dump_json().encode()

    @asynccontextmanager
    async def keep(self) -> AsyncIterator[None]:
        """Register once before the block runs, and keep registering while it runs."""
        delay = await self._try()
        async with run_in_background(self._repeat(delay)):
            yield

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
            self._set_obstacle(error.detail, logging.WARNING)
            return _RETRY_SECONDS
        else:
            self._set_obstacle(f"These collections may come later: {absent}." if absent else "")
            self._obstacle = ""
        return _RENEW_SECONDS

    def _set_obstacle(
        self,
        obstacle: str,
        level: int = logging.WARNING,
        kind: type[NotRegistered] = NotRegistered,
    ) -> None:
        if obstacle and obstacle != self._logged:
            _log.log(level, "transform registration", extra={"reason": obstacle})
        self._logged = self._obstacle = obstacle
        self._kind = kind

    async def check(self) -> None:
        """Check that PocketBase uses this table, by registering now.

        Raises:
            NotRegistered: the detail says why.
        """
        await self._try()
        if self._obstacle:
            raise self._kind(self._obstacle)

    async def register(self) -> str:
        """Register the table; return the missing collections that may come later.

        Raises:
            Overruled: PocketBase uses another gateway's table.
            UnfitCollections: a collection does not match its transform.
            PocketBaseRefused: PocketBase has none of our secrets, or lacks the hooks.
            PocketBaseUnavailable: PocketBase does not answer.
        """
        headers = sign(f"msg_{token_hex(10)}", int(time.time()), self._body, *self._keys)
        answer = await call_hook(self._pocketbase, REGISTER, self._body, headers=headers)
        if answer.overruled:
            raise Overruled(
                "A gateway that started later has another table of transforms, which PocketBase"
                " uses. This gateway takes over when the other one ends."
            )
        if faults := find_faults(self._table, answer.collections):
            raise UnfitCollections(" ".join(faults))
        return ", ".join(find_absent(self._table, answer.collections))


def _describe_table(settings: Settings, table: Table) -> RegisterRequest:
    return RegisterRequest(
        url=settings.gateway_public_url + PATH,
        # PocketBase keeps the table of the gateway that started last.
        started=int(time.time() * 1000),
        superusers=settings.gateway_transform_superuser_writes,
        max_bytes=settings.gateway_max_transform_bytes,
        headers=",".join(settings.gateway_transform_headers),
        transforms=tuple(
            TransformEntry(
                collection=transform.collection,
                operation=operation,
                timeout=transform.timeout,
                on_failure=transform.on_failure,
                files=transform.files,
                request=transform.request,
            )
            for operation, transform in table
        ),
    )
