"""Routes of the outbox of notifications, and of PocketBase's mail settings."""

from typing import Any, Literal

from pydantic import Field

from gateway.pocketbase.contracts.route import Contract, HookRoute
from gateway.pocketbase.contracts.text import FreeText


class ClaimRequest(Contract):
    """The channels that this gateway can deliver to."""

    channels: tuple[str, ...]


class AppSender(Contract):
    """PocketBase's sender of mails."""

    name: str
    address: str


class AppInfo(Contract):
    """PocketBase's application settings."""

    name: str
    url: str
    sender: AppSender


class SubscriptionStatus(Contract):
    """The subscription of an invoice."""

    status: str


class PaymentStatus(Contract):
    """The PaymentIntent of an invoice or Checkout Session."""

    status: str
    amount_received: int
    presentment_details: dict[str, Any] | None


class ClaimedNotification(Contract):
    """A notification to send, with the present rows that it is about."""

    id: str
    event: str
    kind: str
    channel: str
    #: This time included.
    attempts: int
    #: The event's JSON, "" once it is pruned.
    payload: str
    #: The row that it is about: the columns of a mirror collection.
    subject: dict[str, Any] | None
    user: str
    organization: str
    customer: str
    email: str
    app: AppInfo
    subscription: SubscriptionStatus | None
    payment: PaymentStatus | None
    has_payment_method: bool
    #: The status of the mail about the same payment attempt, "" if there is none.
    sibling: str
    locale: str
    refunded: int
    metered: bool


class ClaimAnswer(Contract):
    """The next notification, None if none is due."""

    claimed: ClaimedNotification | None


class CompletionRequest(Contract):
    """The result of a claimed notification."""

    id: str
    attempts: int
    status: str
    reason: FreeText
    #: Seconds after which one that waits is tried again.
    delay: int


class CompletionAnswer(Contract):
    """1, or 0 if another gateway has claimed it since."""

    completed: int


class RetryRequest(Contract):
    """Notifications to send again; without ids, all that failed."""

    ids: tuple[str, ...]
    #: Seconds for which they are worth sending.
    seconds: int


class RetryAnswer(Contract):
    """How many there are."""

    retried: int


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


CLAIM = HookRoute("POST", "/api/gateway/notifications/claim", ClaimRequest, ClaimAnswer)
COMPLETE = HookRoute(
    "POST", "/api/gateway/notifications/complete", CompletionRequest, CompletionAnswer
)
RETRY = HookRoute("POST", "/api/gateway/notifications/retry", RetryRequest, RetryAnswer)
SEND_MAIL = HookRoute("POST", "/api/gateway/mail", MailRequest, MailAnswer)
