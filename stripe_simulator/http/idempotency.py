"""Idempotency keys: a repeated request gets the stored answer, also a stored 500."""

from dataclasses import dataclass, field

from stripe_simulator.errors import StripeError
from stripe_simulator.http.messages import Answer, Request

MAX_LENGTH = 255


@dataclass(slots=True)
class Idempotency:
    """Stored answers by key, and the keys in use."""

    answers: dict[str, tuple[str, Answer]] = field(default_factory=dict)
    in_use: set[str] = field(default_factory=set)

    def replay(self, request: Request) -> Answer | None:
        """Return the stored answer; raise if the key is in use or came with another request."""
        key = key_of(request)
        if key is None:
            return None
        if len(key) > MAX_LENGTH:
            message = f"Idempotency keys can have at most {MAX_LENGTH} characters."
            raise StripeError(400, "idempotency_error", message)
        if key in self.in_use:
            message = "There is currently another in-progress request using this Idempotent Key."
            raise StripeError(409, "idempotency_error", message, code="idempotency_key_in_use")
        if key not in self.answers:
            return None
        fingerprint, answer = self.answers[key]
        if fingerprint != fingerprint_of(request):
            raise StripeError(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters they "
                f"were first used with. Try using a key other than '{key}'.",
            )
        headers = answer.headers | {"Idempotent-Replayed": "true"}
        return Answer(answer.status, answer.body, headers)

    def store(self, request: Request, answer: Answer) -> None:
        """Keep an answer; requests that never began (401, 409, 429) are not kept."""
        key = key_of(request)
        if key is not None and answer.status not in (401, 409, 429):
            self.answers[key] = (fingerprint_of(request), answer)


def key_of(request: Request) -> str | None:
    """The request's key; only POST has one."""
    return request.headers.get("idempotency-key") if request.method == "POST" else None


def fingerprint_of(request: Request) -> str:
    """The parts of a request that must be the same when a key is used again."""
    account = request.headers.get("stripe-account", "")
    return f"{account} {request.path}?{request.query} {request.body.decode('utf-8', 'replace')}"
