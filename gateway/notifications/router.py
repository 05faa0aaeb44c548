"""Chooses the outbox entries of an event by settings and handlers; called for every event."""

import asyncio
import time
from collections.abc import Mapping

from gateway.dates import LAST_UNIX
from gateway.notifications.handler_events import find_domain_events, types_of
from gateway.notifications.handlers import Handler
from gateway.notifications.kinds import describe
from gateway.notifications.notification import Notification, SourceEvent
from gateway.rows import OutboxEntry
from gateway.settings import PocketBaseSettings

#: The channel of ready-made mails; handlers have names with a dot.
MAIL = "mail"


class NotificationRouter:
    """Returns an event's outbox entries, and wakes the sender after they are stored."""

    def __init__(
        self, mails: frozenset[str], handlers: Mapping[str, Handler], max_age_seconds: int
    ) -> None:
        self.mails = mails
        self.handlers = handlers
        self._max_age_seconds = max_age_seconds
        topics = {topic for handler in handlers.values() for topic in handler.topics}
        #: The types of events that may cause a mail or a call.
        self._types = types_of(mails | topics)
        self._has_stored = asyncio.Event()

    @property
    def channels(self) -> list[str]:
        """Channels that this process can deliver to."""
        return [*([MAIL] if self.mails else []), *self.handlers]

    def entries_for(self, event: SourceEvent) -> tuple[OutboxEntry, ...]:
        """Return the entries; none for events of connected accounts and for old events."""
        if event.type not in self._types or event.account or event.is_thin:
            return ()
        expires = min(event.created + self._max_age_seconds, LAST_UNIX)
        if expires <= time.time():
            return ()
        found = describe(event)
        names = {found.kind, found.type} | find_domain_events(event.type, event.object)
        channels = [MAIL] if found.kind in self.mails else []
        channels += [
            name for name, handler in self.handlers.items() if not names.isdisjoint(handler.topics)
        ]
        return tuple(_build_entry(found, channel, expires) for channel in channels)

    def wake(self) -> None:
        """Wake the sender: an entry was stored."""
        self._has_stored.set()

    async def wait(self, seconds: float) -> None:
        """Wait until an entry is stored, at most `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._has_stored.wait()
        except TimeoutError:
            pass
        self._has_stored.clear()


def open_router(
    settings: PocketBaseSettings, handlers: Mapping[str, Handler]
) -> NotificationRouter | None:
    """Return the router; None without mails and handlers."""
    if not settings.mail_kinds and not handlers:
        return None
    max_age_seconds = settings.gateway_notification_max_age_hours * 3600
    return NotificationRouter(settings.mail_kinds, handlers, max_age_seconds)


def _build_entry(found: Notification, channel: str, expires: int) -> OutboxEntry:
    return OutboxEntry(
        channel=channel,
        kind=found.kind or found.type,
        collection=found.collection,
        object_id=found.object_id,
        customer=found.customer,
        expires=expires,
    )
