"""Errors in Stripe's own terms: an HTTP status and the body `{"error": {…}}`."""

from typing import Any

from stripe_simulator.snapshots import JSON


class StripeError(Exception):
    """An answer that Stripe gives instead of the object asked for."""

    def __init__(self, status: int, type: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.error: JSON = {"type": type, "message": message} | {
            key: value for key, value in details.items() if value is not None
        }
        if code := self.error.get("code"):
            page = str(code).replace("_", "-")
            self.error["doc_url"] = f"https://docs.stripe.com/error-codes/{page}"

    @property
    def body(self) -> JSON:
        """The answer's body."""
        return {"error": self.error}


def invalid(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """A request that can never work."""
    return StripeError(400, "invalid_request_error", message, param=param, code=code)


def missing_parameter(param: str) -> StripeError:
    """A required parameter was not sent."""
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def missing_object(noun: str, id: str, param: str = "id", status: int = 404) -> StripeError:
    """An id that names nothing; Stripe answers 404 in a path and 400 in a parameter."""
    message = f"No such {noun}: '{id}'"
    return StripeError(
        status, "invalid_request_error", message, code="resource_missing", param=param
    )


def decline_message(decline_code: str) -> str:
    """The message to a customer about a declined card."""
    if decline_code == "insufficient_funds":
        return "Your card has insufficient funds."
    return "Your card was declined."


def card_declined(decline_code: str, **details: Any) -> StripeError:
    """A card that the bank refused."""
    return StripeError(
        402,
        "card_error",
        decline_message(decline_code),
        code="card_declined",
        decline_code=decline_code,
        **details,
    )
