"""Stripe's error answer as a value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StripeAnswer:
    """Stripe's error, for decisions and log lines; none of it is sent to clients."""

    #: The HTTP status, 0 without an answer.
    status: int = 0
    code: str = ""
    #: The parameter that the error is about, such as ``line_items[0][price]``.
    param: str = ""
    #: The reason that the bank gave, such as ``insufficient_funds``.
    decline_code: str = ""
    request_id: str = ""
    #: Stripe's text. It may repeat an address, so only errors about our key are logged with it.
    message: str = ""
    #: Whether Stripe repeats the stored answer of an idempotency key, as it does for a day.
    is_replayed: bool = False
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
        customers.
        """
        is_customer = self.code == "resource_missing" and self.param == "customer"
        return is_customer and "similar object exists in" not in self.message

    @property
    def log_fields(self) -> dict[str, str | int]:
        """Fields for a log line: everything except the text."""
        said: dict[str, str | int] = {
            "status": self.status,
            "code": self.code,
            "param": self.param,
            "decline_code": self.decline_code,
            "stripe_request": self.request_id,
        }
        return {name: value for name, value in said.items() if value}
