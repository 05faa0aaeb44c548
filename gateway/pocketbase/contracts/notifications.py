"""The route of PocketBase's mail settings."""

from typing import Literal

from pydantic import Field

from gateway.pocketbase.contracts.route import Contract, HookRoute
from gateway.pocketbase.contracts.text import FreeText


class MailFrom(Contract):
    """The sender of a mail."""

    name: FreeText
    address: FreeText


class MailRequest(Contract):
    """One mail to one address."""

    sender: MailFrom = Field(serialization_alias="from")
    to: FreeText
    subject: FreeText
    text: FreeText
    html: FreeText
    headers: dict[str, FreeText]


class MailAnswer(Contract):
    """Whether PocketBase has sent a mail.

    ``disabled``: PocketBase has no mail server. ``failed``: ``reason`` is the error.
    """

    status: Literal["sent", "disabled", "failed"]
    reason: str


SEND_MAIL = HookRoute("POST", "/api/gateway/mail", MailRequest, MailAnswer)
