"""A notification as a value, created from one Stripe event. Pure."""

from dataclasses import dataclass, field
from typing import Protocol

from gateway.rows import Json


class SourceEvent(Protocol):
    """The members of an event from which a notification is created."""

    @property
    def stripe_id(self) -> str:
        """The event's id."""

    @property
    def type(self) -> str:
        """The type, such as ``invoice.paid``."""

    @property
    def created(self) -> int:
        """Unix seconds by Stripe's clock."""

    @property
    def object(self) -> Json:
        """The object right after the event."""

    @property
    def previous(self) -> Json | None:
        """The values that an update replaced, None for another event."""

    @property
    def account(self) -> str:
        """The connected account, "" for the platform's own."""

    @property
    def is_thin(self) -> bool:
        """Whether the event only names its object."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A Stripe event with the payer in PocketBase and the facts of a mail."""

    #: The event's id at Stripe.
    id: str
    #: The event's type.
    type: str
    #: Unix seconds by Stripe's clock.
    created: int
    #: payment_failed, action_required, trial_ending, renewal, receipt, refund, dispute or
    #: finalization_failed; "" for any other event.
    kind: str
    #: The Stripe object right after the event.
    object: Json
    #: Values for mails, by name; amounts in the currency's smallest unit, times in unix seconds.
    facts: Json = field(default_factory=dict)
    #: The row of the mirror that it is about: collection (its name without a prefix), Stripe id.
    collection: str = ""
    object_id: str = ""
    #: The payer: Stripe's customer, PocketBase's user or organization, and an e-mail address; "" if
    #: not known.
    customer: str = ""
    user: str = ""
    organization: str = ""
    address: str = ""
    #: The payer's language, such as ``de`` or ``pt-BR``; "" if not known.
    locale: str = ""
    #: The domain events, such as purchase.completed, without `kind`.
    domain_events: frozenset[str] = frozenset()
    #: The current columns of that row, without the hidden ones; None if there is none yet.
    row: Json | None = None
    #: Whether the notification is not outdated; otherwise no mail is sent.
    is_current: bool = True
