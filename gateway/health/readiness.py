"""Readiness checks: PocketBase's hooks, migrations and collections; writes; key; transforms."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from gateway.errors import HooksMismatch, Unavailable
from gateway.health.shared_check import SharedCheck
from gateway.health.version_faults import find_faults, find_other_names
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.pocketbase.contracts.health import VERSION, WRITE_PROBE, VersionAnswer
from gateway.pocketbase.contracts.route import Empty
from gateway.pocketbase.hook_call import call_hook

#: A successful write is cached this long, because anyone can call /ready.
_WRITE_CACHE_SECONDS = 1.0
#: Maximum time of PocketBase's answers; a slower delivery would probably fail as well.
_TIMEOUT_SECONDS = 3.0
#: Minimum time for the write after a slow sign-in.
_MIN_WRITE_SECONDS = 1.0
_LOCKED = "another process (a backup, a shell) may lock its database."


@dataclass(frozen=True, slots=True)
class Backlog:
    """The numbers of events and items that wait; none of them makes the gateway not ready."""

    #: Events whose row waits for a read from Stripe (docs/webhook-engine.md).
    unresolved: int = 0
    #: Events whose row could not be written.
    failed: int = 0
    #: Items of background work that need a decision (docs/work.md).
    parked: int = 0


class NotReady(Unavailable):
    """PocketBase lacks the gateway's hooks or migrations."""


async def check_pocketbase(pocketbase: PocketBase) -> Backlog:
    """Compare PocketBase's hooks, migrations and collections with those this gateway needs.

    Returns:
        The numbers of events and items that wait.

    Raises:
        NotReady: they differ; the detail names the difference.
        PocketBaseUnavailable: it does not answer, or refuses our superuser.
    """
    version = await read_version(pocketbase)
    for fault in find_faults(version, pocketbase.collection_names):
        raise NotReady(fault.sentence)
    return Backlog(version.unresolved, version.failed, version.parked)


async def read_version(pocketbase: PocketBase) -> VersionAnswer:
    """Return the hooks, migrations and names of PocketBase.

    Raises:
        NotReady: it runs without the hooks, or refuses the superuser.
        PocketBaseUnavailable: it does not answer.
    """
    try:
        return await call_hook(pocketbase, VERSION, Empty())
    except HooksMismatch as mismatch:
        if isinstance(mismatch.__cause__, PocketBaseRefused):
            raise NotReady("PocketBase runs without the gateway's pb_hooks.") from mismatch
        raise
    except PocketBaseRefused as refused:
        raise NotReady("PocketBase refuses the gateway's superuser.") from refused


async def check_names(pocketbase: PocketBase) -> None:
    """Check that PocketBase uses the same collection names as this process.

    Raises:
        NotReady: they differ; the detail names the setting.
        HooksMismatch: PocketBase lacks the hooks.
        PocketBaseUnavailable: it does not answer, or refuses our superuser.
    """
    version = await call_hook(pocketbase, VERSION, Empty())
    for fault in find_other_names(version, pocketbase.collection_names):
        raise NotReady(fault.sentence)


async def check_writes(pocketbase: PocketBase) -> None:
    """Write one row.

    Raises:
        NotReady: PocketBase refuses it.
        PocketBaseUnavailable: it can't write, or does not answer.
    """
    try:
        await call_hook(pocketbase, WRITE_PROBE, Empty())
    except PocketBaseRefused as refused:
        raise NotReady(f"PocketBase refuses to write: {refused.status}, {refused}") from refused


async def _wait(check: SharedCheck, seconds: float, overdue: str) -> None:
    """Wait for a check; after the time it continues for later callers.

    Raises:
        NotReady: the check took longer.
    """
    try:
        async with asyncio.timeout(seconds):
            await check.run()
    except TimeoutError as error:
        raise NotReady(overdue) from error


class Readiness:
    """The checks of /ready."""

    def __init__(
        self,
        pocketbase: PocketBase,
        check_key: Callable[[], None],
        *registrations: Callable[[], Awaitable[None]],
    ) -> None:
        self._pocketbase = pocketbase
        #: The numbers of the last check.
        self.backlog = Backlog()
        self._version = SharedCheck(self._check_version)
        self._writes = SharedCheck(partial(check_writes, pocketbase), _WRITE_CACHE_SECONDS)
        self._check_key = check_key
        self._registrations = [SharedCheck(check) for check in registrations]

    async def check(self) -> Backlog:
        """Check PocketBase, the Stripe key and the app's registrations within about four seconds.

        A write is checked too, because reads succeed when the disk is full or the database locked.

        Returns:
            The numbers of events and items that wait.

        Raises:
            NotReady: hooks or migrations are missing, or PocketBase refuses to write.
            NotRegistered: PocketBase does not use the app's transforms or effects.
            PocketBaseUnavailable: it does not answer or can't write; the detail is PocketBase's.
            StripeKeyNotAccepted
        """
        started = time.monotonic()
        await _wait(
            self._version,
            _TIMEOUT_SECONDS,
            f"PocketBase did not accept a sign-in and show its version in {_TIMEOUT_SECONDS:g} s:"
            f" it is overloaded, or {_LOCKED}",
        )
        left = _TIMEOUT_SECONDS - (time.monotonic() - started)
        await _wait(
            self._writes,
            max(left, _MIN_WRITE_SECONDS),
            f"PocketBase did not write one row in {_TIMEOUT_SECONDS:g} s: {_LOCKED}",
        )
        self._check_key()
        for registration in self._registrations:
            await registration.run()
        return self.backlog

    async def _check_version(self) -> None:
        self.backlog = await check_pocketbase(self._pocketbase)
