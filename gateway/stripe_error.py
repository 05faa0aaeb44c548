"""Stripe's error answer as a value."""

from dataclasses import dataclass, fields

#: Decline codes that the customer must not see: they tell a thief or fraudster that the card is
#: known (https://docs.stripe.com/declines/codes).
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
    """The facts of Stripe's error, for decisions, log lines and clients."""

    #: The HTTP status, 0 without an answer.
    status: int = 0
    #: ``api_error``, ``card_error``, ``idempotency_error`` or ``invalid_request_error``.
    type: str = ""
    code: str = ""
    #: The parameter that the error is about, such as ``line_items[0][price]``.
    param: str = ""
    #: The reason that the bank gave, such as ``insufficient_funds``.
    decline_code: str = ""
    request_id: str = ""
    #: Stripe's text. It may repeat an address, so only errors about our key are logged with it.
    message: str = ""
    #: The page about the code in Stripe's documentation.
    doc_url: str = ""
    #: The request in the seller's dashboard.
    request_log_url: str = ""
    #: Whether Stripe repeats the stored answer of an idempotency key, as it does for a day.
    is_replayed: bool = False
    #: Whether Stripe asks to send the request again, None if it does not say.
    should_retry: bool | None = None
    #: Seconds that Stripe asks to wait, 0 if it names none.
    retry_after: int = 0

    @property
    def is_missing(self) -> bool:
        """Whether an object that the request names does not exist."""
        return self.status == 404 or self.code == "resource_missing"

    @property
    def names_missing_customer(self) -> bool:
        """Whether the customer does not exist.

        A customer of the other mode (test or live) does: a wrong key is no reason to give up all
        customers. Stripe has no code for that; only the text differs.
        """
        is_customer = self.code == "resource_missing" and self.param == "customer"
        return is_customer and "similar object exists in" not in self.message

    @property
    def client_fields(self) -> dict[str, str]:
        """What a client may see: everything that is neither a text nor the seller's alone."""
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
        """Fields for a log line: everything except the text."""
        names = {"request_id": "stripe_request", "type": "stripe_type"}
        found: dict[str, str | int] = {
            names.get(field.name, field.name): getattr(self, field.name)
            for field in fields(self)
            if field.name != "message" and getattr(self, field.name) not in ("", 0, None)
        }
        return found
