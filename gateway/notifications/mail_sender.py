"""Sends a notification as a mail: chooses recipient and sender, skips outdated ones."""

from dataclasses import dataclass

from gateway.email_address import clean_address
from gateway.errors import StripeUnavailable
from gateway.notifications.kinds import TO_SELLER
from gateway.notifications.mail import DeliveryResult, Mail, Mailbox, MailTransport
from gateway.notifications.notification import Notification
from gateway.notifications.outbox import ClaimedEntry, EntryResult
from gateway.notifications.stripe_facts import StripeFacts
from gateway.notifications.templates import Templates

#: The delay before the second attempt, and the maximum delay.
_FIRST_DELAY_SECONDS, _MAX_DELAY_SECONDS = 30, 3600
#: The statuses of a mail that was sent or will be.
_SENT_OR_PENDING = ("waiting", "sending", "sent")


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

    async def __call__(self, claimed: ClaimedEntry, notification: Notification) -> EntryResult:
        """Send one notification; skip it if outdated, postpone it without an address."""
        try:
            notification = await self.stripe_facts.complete(notification, claimed.context)
        except StripeUnavailable as error:
            return EntryResult("waiting", error.detail, _delay(claimed.attempts))
        if not notification.is_current:
            return EntryResult("skipped", "outdated")
        if skipped := self._skip_if_covered(claimed, notification):
            return skipped
        to = clean_address(self._recipient(notification))
        if not to:
            return EntryResult("waiting", "no address", _delay(claimed.attempts))
        delivery = await self.transport.send(self._compose(claimed, notification, to))
        return _classify(delivery, to, claimed.attempts)

    def _skip_if_covered(
        self, claimed: ClaimedEntry, notification: Notification
    ) -> EntryResult | None:
        """Skip payment_failed if the payment needs authentication: action_required covers it."""
        sibling = claimed.sibling
        if notification.kind == "payment_failed" and "action_required" in self.kinds:
            is_covered = sibling in _SENT_OR_PENDING or notification.facts["needs_action"]
            return (
                EntryResult("skipped", "action_required is mailed instead") if is_covered else None
            )
        if notification.kind != "action_required":
            return None
        # It is claimed after the other has a result, which stays `sending` only if a gateway died.
        is_covered = sibling in ("sent", "sending")
        return EntryResult("skipped", "payment_failed was mailed") if is_covered else None

    def _recipient(self, notification: Notification) -> str:
        return self.seller if notification.kind in TO_SELLER else notification.address

    def _compose(self, claimed: ClaimedEntry, notification: Notification, to: str) -> Mail:
        sender = self.sender or Mailbox(claimed.app.sender.name, claimed.app.sender.address)
        values = {
            **notification.facts,
            "app": claimed.app.model_dump(),
            "event": claimed.event,
            "locale": notification.locale,
        }
        text = self.templates.render(notification.kind, values, notification.locale)
        _, _, domain = sender.address.partition("@")
        headers = {
            # The same for every attempt, so that mail clients recognize duplicates.
            "Message-ID": f"<{claimed.id}@{domain}>",
            "Auto-Submitted": "auto-generated",
        }
        return Mail(sender, to, text.subject, text.text, text.html, headers)


def _classify(delivery: DeliveryResult, to: str, attempts: int) -> EntryResult:
    # Mail servers repeat the address, which must not be stored or logged.
    reason = delivery.reason.replace(to, "<address>")
    if delivery.outcome == "sent":
        return EntryResult("sent")
    if delivery.outcome == "later":
        return EntryResult("waiting", reason, _delay(attempts))
    if delivery.outcome == "refused":
        return EntryResult("failed", reason)
    return EntryResult("failed", f"Perhaps it was sent: {reason}")


def _delay(attempts: int) -> int:
    return int(min(_FIRST_DELAY_SECONDS * 2 ** min(attempts - 1, 20), _MAX_DELAY_SECONDS))
