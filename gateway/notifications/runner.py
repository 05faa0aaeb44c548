"""Runs the outbox sender while the gateway runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.notifications.handlers import EventContext
from gateway.notifications.mail import MailTransport, read_mailbox
from gateway.notifications.mail_sender import MailSender
from gateway.notifications.outbox import Outbox
from gateway.notifications.outbox_sender import OutboxSender
from gateway.notifications.pocketbase_transport import PocketBaseTransport
from gateway.notifications.smtp_transport import SmtpTransport
from gateway.notifications.stripe_facts import StripeFacts
from gateway.notifications.templates import Templates
from gateway.pocketbase import PocketBase
from gateway.services import Services
from gateway.settings import Settings


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


@asynccontextmanager
async def send_notifications(services: Services, templates: Templates) -> AsyncIterator[None]:
    """Process the outbox while the block runs; do nothing without mails and handlers."""
    if services.notifications is None:
        yield
        return
    mail_sender = _open_mail_sender(services, templates)
    context = EventContext("", services.records, services.stripe, services.settings, services.state)
    outbox_sender = OutboxSender(
        Outbox(services.pocketbase), services.notifications, mail_sender, context
    )
    running = asyncio.create_task(outbox_sender.run())
    try:
        yield
    finally:
        await outbox_sender.close(running)
