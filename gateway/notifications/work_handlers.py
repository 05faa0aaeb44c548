"""The work handlers of mails and of a team's event handlers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gateway.notifications.current_facts import bring_up_to_date, read_current_rows
from gateway.notifications.domain_events import find_domain_events
from gateway.notifications.handlers import EventContext, Handler
from gateway.notifications.kinds import describe
from gateway.notifications.mail import MailTransport, read_mailbox
from gateway.notifications.mail_sender import MailSender
from gateway.notifications.notification import Notification
from gateway.notifications.pocketbase_transport import PocketBaseTransport
from gateway.notifications.router import MAIL
from gateway.notifications.row_event import read_row_event
from gateway.notifications.smtp_transport import SmtpTransport
from gateway.notifications.stored_event import read_event
from gateway.notifications.stripe_facts import StripeFacts
from gateway.notifications.templates import Templates
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.work_event import ClaimedEvent
from gateway.services import Services
from gateway.settings import Settings
from gateway.work import Outcome, Park, WorkContext, WorkHandler, WorkItem
from gateway.work.team_function import call_function

_PRUNED = Park("The event's payload is pruned.")
#: Mails that are sent at once: as many as a process may leave behind in doubt.
_MAX_MAILS = 8
_MAIL_SECONDS = 120.0


def build_event_handlers(services: Services, templates: Templates) -> Iterator[WorkHandler]:
    """Yield the handler of mails, if there are any, and those of the team's functions."""
    router = services.notifications
    if router is None:
        return
    if router.mails:
        send = _SendMail(_open_mail_sender(services, templates))
        yield WorkHandler(
            MAIL, send, at_most_once=True, timeout=_MAIL_SECONDS, concurrency=_MAX_MAILS
        )
    context = EventContext("", services.records, services.stripe, services.settings, services.state)
    for handler in router.handlers.values():
        yield WorkHandler(
            handler.name,
            _CallHandler(handler, context),
            tries=handler.tries,
            at_most_once=handler.at_most_once,
        )


@dataclass(frozen=True, slots=True)
class _SendMail:
    """Sends a notification by mail."""

    mail_sender: MailSender

    async def __call__(self, item: WorkItem, context: WorkContext) -> Outcome:
        if item.event is None or not item.event.payload or item.event.mail is None:
            return _PRUNED
        notification = build_notification(item.event)
        return await self.mail_sender(item, notification, item.event.mail)


@dataclass(frozen=True, slots=True)
class _CallHandler:
    """Calls a team's function."""

    handler: Handler
    context: EventContext

    async def __call__(self, item: WorkItem, context: WorkContext) -> Outcome:
        found = read_row_event(item)
        if found is None and item.event and item.event.payload:
            found = build_notification(item.event)
        if found is None:
            return _PRUNED
        called = replace(self.context, key=item.id, attempt=item.attempts)
        return await call_function(self.handler.function, found, called)


def build_notification(claimed: ClaimedEvent) -> Notification:
    """Return an event with the payer and the current rows."""
    event = read_event(claimed.decoded)
    found = describe(event)
    found = replace(
        found,
        domain_events=find_domain_events(event.type, event.object, event.previous),
        customer=claimed.customer or found.customer,
        user=claimed.user,
        organization=claimed.organization,
        address=claimed.email or found.address,
        row=claimed.row,
    )
    if not found.kind or claimed.mail is None:
        return found
    return bring_up_to_date(found, read_current_rows(claimed.row, claimed.mail))


def _open_mail_sender(services: Services, templates: Templates) -> MailSender:
    settings = services.settings
    sender = settings.gateway_mail_sender
    return MailSender(
        transport=_open_transport(settings, services.pocketbase),
        templates=templates,
        sender=read_mailbox(sender) if sender else None,
        seller=read_mailbox(settings.gateway_notify_email).address,
        stripe_facts=StripeFacts(services.stripe),
        kinds=settings.mail_kinds,
    )


def _open_transport(settings: Settings, pocketbase: PocketBase) -> MailTransport:
    if settings.gateway_smtp_url is None:
        return PocketBaseTransport(pocketbase)
    url = settings.gateway_smtp_url.get_secret_value()
    return SmtpTransport.of(url, settings.gateway_upstream_timeout)
