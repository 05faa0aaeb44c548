"""A mail as a value, and the two ways to send it: PocketBase's mail settings, or a mail server.

Either says whether a mail that failed is certainly not sent: only such a one may be tried again.
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
    """An address with a name for people."""

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
    """What became of a mail.

    ``later``: certainly not sent, another try may help. ``refused``: not sent, and another try
    will not help. ``unknown``: it may have been sent.
    """

    outcome: Outcome
    reason: str = ""


class MailTransport(Protocol):
    """Sends mails."""

    async def send(self, mail: Mail) -> DeliveryResult:
        """Send one mail; nothing is raised for what is wrong with it or with the server."""


def read_mailbox(text: str) -> Mailbox:
    """Read ``Shop <billing@example.com>`` or a bare address."""
    name, address = parseaddr(text)
    return Mailbox(name, clean_address(address, allow_dotless=True))


def as_message(mail: Mail) -> EmailMessage:
    """The mail as it goes over the wire.

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
