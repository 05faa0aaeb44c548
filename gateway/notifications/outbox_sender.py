"""Sends the entries of the outbox: one gateway claims an entry and tries it once.

A gateway that stores an event wakes its own sender; polling finds the entries of other gateways.
An entry that was claimed and has no result stays `sending`, because it may have been sent
(docs/decisions/015-notifications.md).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from gateway.errors import GatewayError
from gateway.json_codec import load
from gateway.notifications.current_facts import bring_up_to_date
from gateway.notifications.handler_events import find_domain_events
from gateway.notifications.handlers import EventContext, Handler
from gateway.notifications.kinds import describe
from gateway.notifications.notification import Notification
from gateway.notifications.outbox import ClaimedEntry, EntryResult, Outbox
from gateway.notifications.router import MAIL, NotificationRouter
from gateway.notifications.stored_event import read_event
from gateway.retries import retrying

_log = logging.getLogger(__name__)

_POLL_SECONDS = 10.0
#: Concurrently processed entries.
_MAX_CONCURRENT = 8
_HANDLER_SECONDS = 60.0
_CLOSE_SECONDS = 10.0
_MAX_STORE_ATTEMPTS = 4

#: Sends a notification by mail.
Mailer = Callable[[ClaimedEntry, Notification], Awaitable[EntryResult]]


class OutboxSender:
    """A background task that processes the outbox."""

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
        self._capacity = asyncio.Semaphore(_MAX_CONCURRENT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False

    async def run(self) -> None:
        """Process due entries after each stored event and every few seconds, until closed."""
        while not self._is_closing:
            try:
                await self._start_waiting()
            except GatewayError as error:
                _log.warning("notifications postponed", extra={"reason": error.detail})
            except Exception:  # The next round must run after any error.
                _log.exception("notifications failed")
            await self._notification_router.wait(_POLL_SECONDS)

    async def close(self, running: "asyncio.Task[None]") -> None:
        """End `run`, and give claimed entries some seconds, so that they get a result."""
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
            await self._capacity.acquire()
            claimed = None
            try:
                claimed = await self._outbox.claim(self._notification_router.channels)
            finally:
                if not claimed:
                    self._capacity.release()
            if not claimed:
                return
            task = asyncio.create_task(self._send(claimed))
            self._tasks.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._capacity.release()

    async def _send(self, claimed: ClaimedEntry) -> None:
        try:
            result = await self._process(claimed)
        except Exception as error:
            result = EntryResult("failed", f"{type(error).__name__}: {error}")
        fields = {"notification": claimed.id, "event": claimed.event, "kind": claimed.kind}
        fields |= {"channel": claimed.channel, "outcome": result.status}
        level = logging.WARNING if result.status in ("failed", "waiting") else logging.INFO
        if result.reason:
            fields["reason"] = result.reason
        _log.log(level, "notification", extra=fields)
        await self._store_result(claimed, result)
        if claimed.kind == "payment_failed":
            # The mail about the same payment attempt waits for this result
            # (pb_hooks/lib/notifications/context.js).
            self._notification_router.wake()

    async def _process(self, claimed: ClaimedEntry) -> EntryResult:
        if not claimed.payload:
            return EntryResult("failed", "The event's payload is pruned.")
        notification = _build_notification(claimed)
        handler = self._notification_router.handlers.get(claimed.channel)
        if claimed.channel == MAIL:
            return await self._mailer(claimed, notification)
        if handler is None:
            return EntryResult("failed", "This gateway has no such handler.")
        key = f"{claimed.event}-{claimed.channel}"
        return await _call(handler, notification, replace(self._context, key=key))

    async def _store_result(self, claimed: ClaimedEntry, result: EntryResult) -> None:
        """Store the result with retries, because an entry without a result stays `sending`."""
        try:
            async for attempt in retrying(
                GatewayError, first=1.0, longest=8.0, attempts=_MAX_STORE_ATTEMPTS
            ):
                with attempt:
                    await self._outbox.store_result(claimed, result)
        except GatewayError as error:
            fields = {"notification": claimed.id, "reason": error.detail}
            _log.error("notification result not stored", extra=fields)


def _build_notification(claimed: ClaimedEntry) -> Notification:
    """Return the event's notification with the payer and the current rows."""
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


async def _call(handler: Handler, notification: Notification, context: EventContext) -> EntryResult:
    try:
        async with asyncio.timeout(_HANDLER_SECONDS):
            await handler.call(notification, context)
    except TimeoutError:
        return EntryResult("failed", f"The handler took longer than {_HANDLER_SECONDS:g} seconds.")
    except Exception as error:
        _log.exception("notification handler failed", extra={"event": notification.id})
        return EntryResult("failed", f"{type(error).__name__}: {error}")
    return EntryResult("sent")
