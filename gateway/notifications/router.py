"""Who is to be told of an event, by the settings. Asked for every event, so it must cost little."""

import asyncio
import time
from collections.abc import Mapping

from gateway.dates import LAST_UNIX
from gateway.notifications.event_types import find_domain_events, types_of
from gateway.notifications.handlers import Handler
from gateway.notifications.kinds import describe
from gateway.notifications.notification import Notification, SourceEvent
from gateway.rows import OutboxEntry
from gateway.settings import PocketBaseSettings

#: The channel of ready-made mails; handlers have names with a dot.
MAIL = "mail"


class NotificationRouter:
    """Knows which events matter, and wakes whoever sends when one is stored."""

    def __init__(
        self, mails: frozenset[str], handlers: Mapping[str, Handler], keep_seconds: int
    ) -> None:
        self.mails = mails
        self.handlers = handlers
        self._keep_seconds = keep_seconds
        words = {word for handler in handlers.values() for word in handler.words}
        #: The types of events that may cause a mail or a call.
        self._types = types_of(mails | words)
        self._bell = asyncio.Event()

    @property
    def channels(self) -> list[str]:
        """By what this gateway can tell."""
        return [*([MAIL] if self.mails else []), *self.handlers]

    def entries_for(self, event: SourceEvent) -> tuple[OutboxEntry, ...]:
        """Return who is to be told; nobody of a connected account's events, or of old ones."""
        if event.type not in self._types or event.account or event.is_thin:
            return ()
        expires = min(event.created + self._keep_seconds, LAST_UNIX)
        if expires <= time.time():
            return ()
        found = describe(event)
        names = {found.kind, found.type} | find_domain_events(event.type, event.object)
        channels = [MAIL] if found.kind in self.mails else []
        channels += [
            name for name, handler in self.handlers.items() if not names.isdisjoint(handler.words)
        ]
        return tuple(_notice(found, channel, expires) for channel in channels)

    def wake(self) -> None:
        """Say that something was stored."""
        self._bell.set()

    async def wait(self, seconds: float) -> None:
        """Wait until something is stored, or some seconds have passed."""
        try:
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        except TimeoutError:
            pass
        self._bell.clear()


def open_router(
    settings: PocketBaseSettings, handlers: Mapping[str, Handler]
) -> NotificationRouter | None:
    """Return the announcer; None when there are neither mails nor handlers."""
    if not settings.mail_kinds and not handlers:
        return None
    keep_seconds = settings.gateway_notification_max_age_hours * 3600
    return NotificationRouter(settings.mail_kinds, handlers, keep_seconds)


def _notice(found: Notification, channel: str, expires: int) -> OutboxEntry:
    return OutboxEntry(
        channel=channel,
        kind=found.kind or found.type,
        collection=found.collection,
        object_id=found.object_id,
        customer=found.customer,
        expires=expires,
    )
