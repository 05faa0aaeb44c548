"""Sends mails with PocketBase's mail settings through a hook; the password stays in PocketBase."""

from dataclasses import dataclass

from gateway.errors import PocketBaseUnavailable
from gateway.notifications.mail import DeliveryResult, Mail
from gateway.notifications.smtp_outcome import classify_pocketbase_error
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.pocketbase.contracts.notifications import SEND_MAIL, MailFrom, MailRequest
from gateway.pocketbase.hook_call import call_hook


@dataclass(frozen=True, slots=True)
class PocketBaseTransport:
    """Calls pb_hooks/lib/notifications/mail.js."""

    pocketbase: PocketBase

    async def send(self, mail: Mail) -> DeliveryResult:
        """Send one mail."""
        request = MailRequest(
            sender=MailFrom(name=mail.sender.name, address=mail.sender.address),
            to=mail.to,
            subject=mail.subject,
            text=mail.text,
            html=mail.html,
            headers=dict(mail.headers),
        )
        try:
            answer = await call_hook(self.pocketbase, SEND_MAIL, request)
        except PocketBaseRefused as refused:
            return DeliveryResult("refused", f"PocketBase refused: {refused}")
        except PocketBaseUnavailable as error:
            is_unsent = isinstance(error.__cause__, ConnectionRefusedError | PocketBaseRefused)
            return DeliveryResult("later" if is_unsent else "unknown", error.detail)
        if answer.status == "sent":
            return DeliveryResult("sent")
        if answer.status == "disabled":
            return DeliveryResult("later", answer.reason)
        return DeliveryResult(classify_pocketbase_error(answer.reason), answer.reason)
