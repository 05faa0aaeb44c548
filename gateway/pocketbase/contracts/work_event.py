"""The event of a claimed item, with the current rows (pb_hooks/lib/work/event_context.js)."""

from functools import cached_property
from typing import Any

from gateway.json_codec import load
from gateway.pocketbase.contracts.route import Contract


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


class MailContext(Contract):
    """Facts of a notification besides its event and row."""

    app: AppInfo
    subscription: SubscriptionStatus | None
    payment: PaymentStatus | None
    has_payment_method: bool
    #: The status of the item about the same payment attempt, "" if there is none; ``lost`` if it
    #: is parked because its process ended.
    sibling: str
    locale: str
    refunded: int
    metered: bool


class ClaimedEvent(Contract):
    """An event with the payer and the current row that it is about."""

    #: The event's JSON, "" after it was pruned.
    payload: str
    #: The columns of the mirrored row that are not hidden, None if there is none.
    row: dict[str, Any] | None
    user: str
    organization: str
    customer: str
    #: The customer's address, else the user's.
    email: str
    #: None for an event that is not mailed.
    mail: MailContext | None

    @cached_property
    def decoded(self) -> Any:
        """The decoded payload, which must not be empty."""
        return load(self.payload)
