"""A mail as a value, and the interface of the two transports: PocketBase, and SMTP.

A transport distinguishes mails that were certainly not sent: only those are retried.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formataddr, parseaddr
from typing import Literal, Protocol

from gateway.email_address import clean_address

Outcome = Literal["sent", "later", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An e-mail address with a display name."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address."""

    sender: Mailbox
    to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The outcome of a mail.

    ``later``: not sent, a retry may succeed. ``refused``: not sent, a retry would fail as well.
    ``unknown``: it may have been sent.
    """

    outcome: Outcome
    reason: str = ""


class MailTransport(Protocol):
    """Sends mails."""

    async def send(self, mail: Mail) -> DeliveryResult:
        """Send one mail; errors of the mail or the server are returned, not raised."""


def read_mailbox(text: str) -> Mailbox:
    """Parse ``Shop <billing@example.com>`` or a bare address."""
    name, address = parseaddr(text)
    return Mailbox(name, clean_address(address, allow_dotless=True))


def as_message(mail: Mail) -> EmailMessage:
    """Return the mail as a MIME message.

    Raises:
        ValueError: a header has a line break.
    """
    message = EmailMessage()
    message["From"] = formataddr((mail.sender.name, mail.sender.address))
    message["To"] = mail.to
    message["Subject"] = mail.subject
    for name, value in mail.headers.items():
        message[name] = value
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message
