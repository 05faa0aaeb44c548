"""Chooses the items of the queue that follow from an event; called for every event."""

import time
from collections.abc import Mapping
from dataclasses import replace

from gateway.dates import LAST_UNIX
from gateway.notifications.domain_events import find_domain_events
from gateway.notifications.handler_events import types_of
from gateway.notifications.handlers import Handler, Key
from gateway.notifications.kinds import describe
from gateway.notifications.notification import Notification, SourceEvent
from gateway.rows import Json, WorkEntry
from gateway.settings import PocketBaseSettings
from gateway.stripe_api.fields import stripe_id

#: The name of the work handler for ready-made mails; those of a team have names with a dot.
MAIL = "mail"


class NotificationRouter:
    """Returns the mails and handler calls of an event."""

    def __init__(
        self, mails: frozenset[str], handlers: Mapping[str, Handler], max_age_seconds: int
    ) -> None:
        self.mails = mails
        self.handlers = handlers
        self._max_age_seconds = max_age_seconds
        topics = {topic for handler in handlers.values() for topic in handler.topics}
        #: The types of events that may cause a mail or a call.
        self._types = types_of(mails | topics)

    def entries_for(self, event: SourceEvent, *, is_import: bool = False) -> tuple[WorkEntry, ...]:
        """Return the items; none for events of connected accounts.

        An old event causes no mail. Handlers are called, however late Stripe delivers; but not for
        an old event that reconcile finds, such as those of a first import.
        """
        if event.type not in self._types or event.account or event.is_thin:
            return ()
        expires = min(event.created + self._max_age_seconds, LAST_UNIX)
        is_old = expires <= time.time()
        if is_old and is_import:
            return ()
        found = describe(event)
        names = {found.kind, found.type}
        names |= find_domain_events(event.type, event.object, event.previous)
        entries = [_build_mail(found, expires)] if found.kind in self.mails and not is_old else []
        entries += [
            _build_call(found, handler)
            for handler in self.handlers.values()
            if not names.isdisjoint(handler.topics)
        ]
        return tuple(entries)


def open_router(
    settings: PocketBaseSettings, handlers: Mapping[str, Handler]
) -> NotificationRouter | None:
    """Return the router; None without mails and handlers."""
    if not settings.mail_kinds and not handlers:
        return None
    max_age_seconds = settings.gateway_notification_max_age_hours * 3600
    return NotificationRouter(settings.mail_kinds, handlers, max_age_seconds)


def _build_mail(found: Notification, expires: int) -> WorkEntry:
    """Return an item that runs at most once, and is repeated only if nothing was sent."""
    entry = _build_entry(found, MAIL)
    return replace(entry, expires=expires, tries=0, at_most_once=True)


def _build_call(found: Notification, handler: Handler) -> WorkEntry:
    return replace(
        _build_entry(found, handler.name),
        tries=handler.tries,
        at_most_once=handler.at_most_once,
        key=_find_key(found.object, handler.key),
    )


def _find_key(item: Json, by: Key | None) -> str:
    """Return the id that the items of one handler are ordered by."""
    if by == "customer" and item.get("object") != "customer":
        return stripe_id(item.get("customer"))
    return stripe_id(item) if by else ""


def _build_entry(found: Notification, handler: str) -> WorkEntry:
    return WorkEntry(
        handler=handler,
        kind=found.kind,
        collection=found.collection,
        object_id=found.object_id,
        customer=found.customer,
        created=found.created,
    )
