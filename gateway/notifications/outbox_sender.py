"""Sends what the outbox holds: each notification is claimed by one gateway, and tried once.

Whoever stores an event wakes its own sender; what was left behind by another is found by looking
every few seconds. A notification that was claimed and never settled stays `sending`, because it
may have been sent: docs/decisions/015-notifications.md.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from gateway.errors import GatewayError
from gateway.json_codec import load
from gateway.notifications.current_facts import bring_up_to_date
from gateway.notifications.event_types import find_domain_events
from gateway.notifications.handlers import EventContext, Handler
from gateway.notifications.kinds import describe
from gateway.notifications.notification import Notification
from gateway.notifications.outbox import Claimed, Outbox, Settled
from gateway.notifications.router import MAIL, NotificationRouter
from gateway.notifications.stored_event import read_event
from gateway.retries import retrying

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 10.0
#: Notifications under way at once.
_AT_ONCE = 8
_HANDLER_SECONDS = 60.0
_CLOSE_SECONDS = 10.0
_SETTLE_TRIES = 4

#: Sends one by mail.
Mailer = Callable[[Claimed, Notification], Awaitable[Settled]]


class OutboxSender:
    """Runs beside the requests."""

    def __init__(
        self,
        outbox: Outbox,
        notification_router: NotificationRouter,
        mailer: Mailer,
        context: EventContext,
    ) -> None:
        self._outbox = outbox
        self._notification_router = notification_router
        self._mailer = mailer
        self._context = context
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False

    async def run(self) -> None:
        """Send what waits, whenever something is stored, and every few seconds, until closed."""
        while not self._is_closing:
            try:
                await self._start_waiting()
            except GatewayError as error:
                _log.warning("notifications postponed", extra={"reason": error.detail})
            except Exception:  # Whatever it is, the next round is to come.
                _log.exception("notifications failed")
            await self._notification_router.wait(_PAUSE_SECONDS)

    async def close(self, running: "asyncio.Task[None]") -> None:
        """End `run`, and give what is under way some seconds: a claim must not be broken off."""
        self._is_closing = True
        self._notification_router.wake()
        await asyncio.wait({running}, timeout=_CLOSE_SECONDS)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSE_SECONDS)
        left = {running, *self._tasks}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _start_waiting(self) -> None:
        while not self._is_closing:
            await self._places.acquire()
            claimed = None
            try:
                claimed = await self._outbox.claim(self._notification_router.channels)
            finally:
                if not claimed:
                    self._places.release()
            if not claimed:
                return
            task = asyncio.create_task(self._send(claimed))
            self._tasks.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._places.release()

    async def _send(self, claimed: Claimed) -> None:
        try:
            settled = await self._tell(claimed)
        except Exception as error:
            settled = Settled("failed", f"{type(error).__name__}: {error}")
        keys = {"notification": claimed.id, "event": claimed.event, "kind": claimed.kind}
        keys |= {"channel": claimed.channel, "outcome": settled.status}
        level = logging.WARNING if settled.status in ("failed", "waiting") else logging.INFO
        if settled.reason:
            keys["reason"] = settled.reason
        _log.log(level, "notification", extra=keys)
        await self._settle(claimed, settled)
        if claimed.kind == "payment_failed":
            # The mail about the same attempt waits for this one: see lib/notifications/context.js.
            self._notification_router.wake()

    async def _tell(self, claimed: Claimed) -> Settled:
        if not claimed.payload:
            return Settled("failed", "The event's payload is pruned.")
        notification = _complete(claimed)
        handler = self._notification_router.handlers.get(claimed.channel)
        if claimed.channel == MAIL:
            return await self._mailer(claimed, notification)
        if handler is None:
            return Settled("failed", "This gateway has no such handler.")
        key = f"{claimed.event}-{claimed.channel}"
        return await _call(handler, notification, replace(self._context, key=key))

    async def _settle(self, claimed: Claimed, settled: Settled) -> None:
        """A note that is lost leaves it `sending`, so PocketBase is given some time."""
        try:
            async for attempt in retrying(
                GatewayError, first=1.0, longest=8.0, attempts=_SETTLE_TRIES
            ):
                with attempt:
                    await self._outbox.settle(claimed, settled)
        except GatewayError as error:
            told = {"notification": claimed.id, "reason": error.detail}
            _log.error("notification result not stored", extra=told)


def _complete(claimed: Claimed) -> Notification:
    """What the event says, with what PocketBase knows."""
    found = describe(read_event(load(claimed.payload)))
    found = replace(
        found,
        domain_events=find_domain_events(found.type, found.object),
        customer=claimed.customer or found.customer,
        user=claimed.user,
        organization=claimed.organization,
        address=claimed.address or found.address,
    )
    return bring_up_to_date(found, claimed.context) if found.kind else found


async def _call(handler: Handler, notification: Notification, context: EventContext) -> Settled:
    try:
        async with asyncio.timeout(_HANDLER_SECONDS):
            await handler.call(notification, context)
    except TimeoutError:
        return Settled("failed", f"It took longer than {_HANDLER_SECONDS:g} seconds.")
    except Exception as error:
        _log.exception("notification handler failed", extra={"event": notification.id})
        return Settled("failed", f"{type(error).__name__}: {error}")
    return Settled("sent")
