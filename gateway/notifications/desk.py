"""The sending part, from the settings, for as long as the gateway runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import stripe

from gateway.notifications.announcer import Announcer
from gateway.notifications.mail import Post, read_mailbox
from gateway.notifications.mailing import Mailing
from gateway.notifications.outbox import Outbox
from gateway.notifications.pocketbase_post import PocketBasePost
from gateway.notifications.sender import Sender
from gateway.notifications.smtp_post import SmtpPost
from gateway.notifications.stripe_facts import StripeFacts
from gateway.notifications.templates import Templates
from gateway.pocketbase import PocketBase
from gateway.settings import Settings


def _open_mailing(
    settings: Settings,
    pocketbase: PocketBase,
    templates: Templates,
    client: stripe.StripeClient,
) -> Mailing:
    sender = settings.gateway_mail_sender
    return Mailing(
        post=_open_post(settings, pocketbase),
        templates=templates,
        sender=read_mailbox(sender) if sender else None,
        seller=read_mailbox(settings.gateway_mail_seller).address,
        stripe_facts=StripeFacts(client),
        kinds=settings.mail_kinds,
    )


def _open_post(settings: Settings, pocketbase: PocketBase) -> Post:
    if settings.gateway_smtp_url is None:
        return PocketBasePost(pocketbase)
    url = settings.gateway_smtp_url.get_secret_value()
    return SmtpPost.of(url, settings.gateway_upstream_timeout)


@asynccontextmanager
async def send_notifications(
    settings: Settings,
    pocketbase: PocketBase,
    announcer: Announcer | None,
    templates: Templates,
    client: stripe.StripeClient,
) -> AsyncIterator[None]:
    """Send what is stored meanwhile, and what others left; nothing when nobody is to be told."""
    if announcer is None:
        yield
        return
    mailing = _open_mailing(settings, pocketbase, templates, client)
    sender = Sender(Outbox(pocketbase), announcer, mailing)
    running = asyncio.create_task(sender.run())
    try:
        yield
    finally:
        await sender.close(running)
