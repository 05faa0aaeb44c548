"""The gateway's error tree and its wire format: RFC 9457 problem+json with PocketBase's members.

The docstring of a class is the problem's title; ``status`` is the HTTP status.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from gateway.stripe_error import StripeAnswer


def kebab(name: str) -> str:
    """Return the name of a class in kebab case: ``NotFound`` is ``not-found``."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


class GatewayError(Exception):
    """The gateway could not do this."""

    #: The HTTP status; of an instance if PocketBase chose another.
    status: int = 500
    #: The class that gives the problem's type, if clients don't need to distinguish this one.
    kind: ClassVar["type[GatewayError] | None"] = None
    #: Members of the example in the OpenAPI document.
    example_members: ClassVar[Mapping[str, Any]] = {}
    #: Seconds after which a client can retry; None if a retry does not help.
    retry_after: int | None = None

    def __init__(
        self,
        detail: str = "",
        data: Mapping[str, Any] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        #: PocketBase's ``data``: an error per field.
        self.data = dict(data or {})
        #: Further members of the problem document.
        self.members = dict(members or {})

    @property
    def title(self) -> str:
        """Return the first line of the class's docstring."""
        return (type(self).__doc__ or "").strip().splitlines()[0]

    @property
    def slug(self) -> str:
        """Return the last part of the problem's ``type``: the class's name in kebab case."""
        return kebab((self.kind or type(self)).__name__)


class InvalidRequest(GatewayError):
    """The request is not valid."""

    status = 400


def invalid_field(field: str, code: str, message: str) -> InvalidRequest:
    """Return the error of one field in PocketBase's format: ``data.<field> = {code, message}``."""
    return InvalidRequest(message, {field: {"code": code, "message": message}})


class InvalidSignature(InvalidRequest):
    """The webhook signature does not match the body."""


class InvalidEvent(InvalidRequest):
    """The body is not a Stripe event."""


class Unauthenticated(GatewayError):
    """A PocketBase user token is needed."""

    status = 401


class SuperuserNeeded(Unauthenticated):
    """A PocketBase superuser token is needed."""

    kind = Unauthenticated


class UnreadableToken(Unauthenticated):
    """The Authorization header has no PocketBase token."""

    kind = Unauthenticated


class StripeFailure(GatewayError):
    """Stripe did not do what was asked for.

    Base class of all failed calls to Stripe; only subclasses are raised.
    """

    #: Stripe's error, empty if Stripe did not answer with one.
    stripe: StripeAnswer = StripeAnswer()

    def of(self, answer: StripeAnswer) -> Self:
        """Return the error with Stripe's answer attached."""
        self.stripe = answer
        return self


class PaymentRequired(StripeFailure):
    """The payment did not succeed."""

    status = 402


class Forbidden(GatewayError):
    """This is not allowed."""

    status = 403


class SuperusersOnly(Forbidden):
    """Only a PocketBase superuser may do this."""

    kind = Forbidden


class NoOrganization(Forbidden):
    """You don't manage an organization with this id."""


class NotFound(GatewayError):
    """There is no such thing."""

    status = 404


class NoCustomer(NotFound):
    """This user has not bought anything yet."""


class MethodNotAllowed(GatewayError):
    """This path does not support this method."""

    status = 405
    #: The allowed methods, for the header ``Allow``.
    allowed: ClassVar[str] = "POST"


class Conflict(GatewayError):
    """The present state does not allow this."""

    status = 409


class IdempotencyKeyReused(Conflict):
    """This Idempotency-Key was used with another request."""


class StripeKeyReused(StripeFailure, IdempotencyKeyReused):
    """This Idempotency-Key was used with another request."""

    # Clients don't need to know whether Stripe or the gateway stored the key.
    kind = IdempotencyKeyReused


class BodyTooLarge(GatewayError):
    """The request body is too large."""

    status = 413


class UnsupportedMediaType(GatewayError):
    """The request body must be JSON."""

    status = 415


class RateLimited(GatewayError):
    """There were too many requests."""

    status = 429
    retry_after = 60

    def __init__(self, detail: str = "", retry_after: int = 60) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(GatewayError):
    """A required service does not answer right now."""

    status = 503
    retry_after = 5


class PocketBaseUnavailable(Unavailable):
    """PocketBase does not answer right now."""


class HooksMismatch(PocketBaseUnavailable):
    """PocketBase's hooks are of another version than this gateway."""

    # Clients retry, as after any other failure of PocketBase.
    kind = PocketBaseUnavailable


class StripeUnavailable(StripeFailure, Unavailable):
    """Stripe does not answer right now."""


class StripeFailed(StripeUnavailable):
    """Stripe answered with an internal error."""

    status = 502


class StripeTooSlow(StripeUnavailable):
    """Stripe did not answer in time."""

    status = 504


class Overloaded(Unavailable):
    """Too many requests are waiting."""

    retry_after = 1


class StripeRefused(StripeFailure):
    """Stripe refused the request."""

    status = 409


class StripeKeyRefused(StripeRefused):
    """Stripe does not accept the gateway's key."""

    status = 502


class ConfigurationRefused(StripeRefused):
    """The seller has to change a setting at Stripe first."""


class InputRefused(StripeRefused):
    """The request is not valid."""

    status = 400
    # For clients the same as a value that the gateway itself refuses.
    kind = InvalidRequest


#: Errors of every endpoint that calls PocketBase and Stripe for a user.
CALLER_ERRORS: tuple[type[GatewayError], ...] = (
    InvalidRequest,
    Unauthenticated,
    UnsupportedMediaType,
    RateLimited,
    ConfigurationRefused,
    StripeRefused,
    StripeKeyRefused,
    StripeFailed,
    StripeTooSlow,
    PocketBaseUnavailable,
    StripeUnavailable,
)


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    slug: str = "about:blank",
    data: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a problem document.

    ``type``, ``title``, ``status`` and ``detail`` are RFC 9457's. PocketBase's SDKs read
    ``message`` and ``data`` into ``ClientResponseError``.
    """
    return {
        "type": slug if slug == "about:blank" else f"urn:problem:{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "message": detail,
        "data": dict(data or {}),
    }


def describe(error: GatewayError) -> dict[str, Any]:
    """Return the problem document of an error."""
    document = error.members | problem(
        error.status, error.title, error.detail, slug=error.slug, data=error.data
    )
    if isinstance(error, StripeFailure) and (shown := error.stripe.client_fields):
        document["stripe"] = shown
    if error.retry_after is not None:
        # As in the header, because PocketBase's SDKs keep only the body.
        document["retry_after"] = error.retry_after
    return document
