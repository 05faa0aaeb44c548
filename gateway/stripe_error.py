"""Stripe's error response as a value."""

from dataclasses import dataclass, fields

#: Decline codes that must not be shown to the customer, who may have stolen the card
#: (https://docs.stripe.com/declines/codes).
_HIDDEN_DECLINES = frozenset(
    {
        "fraudulent",
        "highest_risk_level",
        "lost_card",
        "merchant_blacklist",
        "pickup_card",
        "restricted_card",
        "security_violation",
        "stolen_card",
    }
)


@dataclass(frozen=True, slots=True)
class StripeAnswer:
    """Stripe's error, for decisions, log lines and clients."""

    #: The HTTP status, 0 without a response.
    status: int = 0
    #: ``api_error``, ``card_error``, ``idempotency_error`` or ``invalid_request_error``.
    type: str = ""
    code: str = ""
    #: The parameter that the error is about, such as ``line_items[0][price]``.
    param: str = ""
    #: The bank's reason, such as ``insufficient_funds``.
    decline_code: str = ""
    request_id: str = ""
    #: Stripe's message. It may contain an address, so only errors about our key are logged with it.
    message: str = ""
    #: The page about the code in Stripe's documentation.
    doc_url: str = ""
    #: The request in the seller's dashboard.
    request_log_url: str = ""
    #: Whether this is the stored response of an idempotency key, which Stripe keeps for a day.
    is_replayed: bool = False
    #: Stripe's header ``Stripe-Should-Retry``, None without it.
    should_retry: bool | None = None
    #: Stripe's header ``Retry-After`` in seconds, 0 without it.
    retry_after: int = 0

    @property
    def is_missing(self) -> bool:
        """Return whether an object that the request names does not exist."""
        return self.status == 404 or self.code == "resource_missing"

    @property
    def names_missing_customer(self) -> bool:
        """Return whether the customer does not exist.

        A customer of the other mode (test or live) exists: with a wrong key, customers must not be
        marked as deleted. Stripe has no code for this case; only the message differs.
        """
        is_customer = self.code == "resource_missing" and self.param == "customer"
        return is_customer and "similar object exists in" not in self.message

    @property
    def client_fields(self) -> dict[str, str]:
        """Return the members for clients: no message, and nothing that only the seller may see."""
        is_hidden = self.decline_code in _HIDDEN_DECLINES
        shown = {
            "type": self.type,
            "code": self.code,
            "decline_code": "generic_decline" if is_hidden else self.decline_code,
            "param": self.param,
            "doc_url": self.doc_url,
            "request_id": self.request_id,
        }
        return {name: value for name, value in shown.items() if value}

    @property
    def log_fields(self) -> dict[str, str | int]:
        """Return the fields for a log line: all except the message."""
        names = {"request_id": "stripe_request", "type": "stripe_type"}
        found: dict[str, str | int] = {
            names.get(field.name, field.name): getattr(self, field.name)
            for field in fields(self)
            if field.name != "message" and getattr(self, field.name) not in ("", 0, None)
        }
        return found
