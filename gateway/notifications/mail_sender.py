"""Sends a notification as a mail: chooses recipient and sender, skips outdated ones."""

from dataclasses import dataclass

from gateway.email_address import clean_address
from gateway.errors import StripeUnavailable
from gateway.notifications.current_facts import read_current_rows
from gateway.notifications.mail import DeliveryResult, Mail, Mailbox, MailTransport
from gateway.notifications.notification import Notification
from gateway.notifications.stripe_facts import StripeFacts
from gateway.notifications.templates import Templates
from gateway.pocketbase.contracts.work_event import AppInfo, MailContext
from gateway.settings import TO_SELLER
from gateway.work import Cancel, Done, Outcome, Park, Retry, WorkItem

#: The delay before the second attempt, and the maximum delay.
_FIRST_DELAY_SECONDS, _MAX_DELAY_SECONDS = 30, 3600
#: The delay while the mail about the same payment attempt is being sent.
_SIBLING_SECONDS = 1
#: The statuses of a mail that was sent or will be; that of a lost process may have been sent.
_SENT_OR_PENDING = ("waiting", "running", "done", "lost")
_PERHAPS_SENT = ("done", "lost")


@dataclass(frozen=True, slots=True)
class MailSender:
    """Sends notifications by mail."""

    transport: MailTransport
    templates: Templates
    #: By default the sender in PocketBase's mail settings.
    sender: Mailbox | None
    #: The recipient of the kinds for the seller.
    seller: str
    stripe_facts: StripeFacts
    #: The kinds that are mailed.
    kinds: frozenset[str]

    async def __call__(
        self, item: WorkItem, notification: Notification, context: MailContext
    ) -> Outcome:
        """Send one notification; skip it if outdated, postpone it without an address."""
        try:
            current = read_current_rows(notification.row, context)
            notification = await self.stripe_facts.complete(notification, current)
        except StripeUnavailable as error:
            return _postpone(item, error.detail)
        if not notification.is_current:
            return Cancel("outdated")
        if skipped := self._skip_if_covered(notification, context.sibling):
            return skipped
        to = clean_address(self._recipient(notification))
        if not to:
            return _postpone(item, "no address")
        delivery = await self.transport.send(self._compose(item, notification, context.app, to))
        return _classify(delivery, to, item)

    def _skip_if_covered(self, notification: Notification, sibling: str) -> Outcome | None:
        """Skip payment_failed if the payment needs authentication: action_required covers it."""
        if notification.kind == "payment_failed" and "action_required" in self.kinds:
            is_covered = sibling in _SENT_OR_PENDING or notification.facts["needs_action"]
            return Cancel("action_required is mailed instead") if is_covered else None
        if notification.kind != "action_required":
            return None
        if sibling == "running":
            return Retry("payment_failed is being mailed", _SIBLING_SECONDS, counts=False)
        return Cancel("payment_failed was mailed") if sibling in _PERHAPS_SENT else None

    def _recipient(self, notification: Notification) -> str:
        return self.seller if notification.kind in TO_SELLER else notification.address

    def _compose(self, item: WorkItem, notification: Notification, app: AppInfo, to: str) -> Mail:
        sender = self.sender or Mailbox(app.sender.name, app.sender.address)
        values = {
            **notification.facts,
            "app": app.model_dump(),
            "event": item.source,
            "locale": notification.locale,
        }
        text = self.templates.render(notification.kind, values, notification.locale)
        _, _, domain = sender.address.partition("@")
        headers = {
            # The same for every attempt, so that mail clients recognize duplicates.
            "Message-ID": f"<{item.id}@{domain}>",
            "Auto-Submitted": "auto-generated",
        }
        return Mail(sender, to, text.subject, text.text, text.html, headers)


def _classify(delivery: DeliveryResult, to: str, item: WorkItem) -> Outcome:
    # Mail servers repeat the address, which must not be stored or logged.
    reason = delivery.reason.replace(to, "<address>")
    if delivery.outcome == "sent":
        return Done()
    if delivery.outcome == "later":
        return _postpone(item, reason)
    if delivery.outcome == "refused":
        return Park(reason)
    return Park(f"Perhaps it was sent: {reason}")


def _postpone(item: WorkItem, reason: str) -> Retry:
    """Nothing was sent: try again after a delay that doubles up to an hour."""
    delay = _FIRST_DELAY_SECONDS * 2 ** min(item.attempts - 1, 20)
    return Retry(reason, delay=int(min(delay, _MAX_DELAY_SECONDS)))
