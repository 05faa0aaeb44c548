"""Turns a notification into a mail and posts it: who gets it, from whom, and whether at all."""

from dataclasses import dataclass

from gateway.email_address import clean_address
from gateway.errors import StripeUnavailable
from gateway.notifications.kinds import TO_SELLER
from gateway.notifications.mail import DeliveryResult, Mail, Mailbox, MailTransport
from gateway.notifications.notification import Notification
from gateway.notifications.outbox import Claimed, Settled
from gateway.notifications.stripe_facts import StripeFacts
from gateway.notifications.templates import Templates

#: The wait before the second try, and the longest one, in seconds.
_FIRST_DELAY, _LONGEST_DELAY = 30, 3600
#: The statuses of a mail that is sent, or will be.
_TELLING = ("waiting", "sending", "sent")


@dataclass(frozen=True, slots=True)
class MailSender:
    """Sends notifications by mail."""

    post: MailTransport
    templates: Templates
    #: Instead of PocketBase's sender.
    sender: Mailbox | None
    #: Who gets what is for the seller.
    seller: str
    stripe_facts: StripeFacts
    #: The kinds that are mailed.
    kinds: frozenset[str]

    async def __call__(self, claimed: Claimed, notification: Notification) -> Settled:
        """Send one; what is outdated is skipped, what has no address yet waits for one."""
        try:
            notification = await self.stripe_facts.complete(notification, claimed.context)
        except StripeUnavailable as error:
            return Settled("waiting", error.detail, _delay(claimed.attempts))
        if not notification.is_current:
            return Settled("skipped", "outdated")
        if told := self._told_by_sibling(claimed, notification):
            return told
        to = clean_address(self._recipient(notification))
        if not to:
            return Settled("waiting", "no address", _delay(claimed.attempts))
        posted = await self.post.send(self._compose(claimed, notification, to))
        return _classify(posted, to, claimed.attempts)

    def _told_by_sibling(self, claimed: Claimed, notification: Notification) -> Settled | None:
        """Skip payment_failed if the payment needs authentication: action_required covers it."""
        sibling = claimed.sibling
        if notification.kind == "payment_failed" and "action_required" in self.kinds:
            is_told = sibling in _TELLING or notification.facts["needs_action"]
            return Settled("skipped", "action_required is mailed instead") if is_told else None
        if notification.kind != "action_required":
            return None
        # It is not claimed before the other is settled: that is `sending` only if a gateway died.
        is_told = sibling in ("sent", "sending")
        return Settled("skipped", "payment_failed was mailed") if is_told else None

    def _recipient(self, notification: Notification) -> str:
        return self.seller if notification.kind in TO_SELLER else notification.address

    def _compose(self, claimed: Claimed, notification: Notification, to: str) -> Mail:
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
            # The same at every try, so that mailboxes can tell copies.
            "Message-ID": f"<{claimed.id}@{domain}>",
            "Auto-Submitted": "auto-generated",
        }
        return Mail(sender, to, text.subject, text.text, text.html, headers)


def _classify(posted: DeliveryResult, to: str, attempts: int) -> Settled:
    # Mail servers repeat the address, which is nobody else's business.
    reason = posted.reason.replace(to, "<address>")
    if posted.outcome == "sent":
        return Settled("sent")
    if posted.outcome == "later":
        return Settled("waiting", reason, _delay(attempts))
    if posted.outcome == "refused":
        return Settled("failed", reason)
    return Settled("failed", f"Perhaps it was sent: {reason}")


def _delay(attempts: int) -> int:
    return int(min(_FIRST_DELAY * 2 ** min(attempts - 1, 20), _LONGEST_DELAY))
