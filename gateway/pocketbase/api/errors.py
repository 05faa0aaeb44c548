"""PocketBase's errors as exceptions: ``status``, ``message`` and ``data`` as in its error bodies.

They are errors of the gateway: an endpoint that lets one through answers with the same status,
message and data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway import errors

#: Longer messages are cut; a proxy may answer with a page.
_MAX_MESSAGE_CHARACTERS = 300
#: Seconds to wait after a 429 without a Retry-After header.
_DEFAULT_RETRY_AFTER_SECONDS = 5
_MAX_RETRY_AFTER_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class FieldError:
    """The error of one field."""

    #: For example ``validation_required``.
    code: str
    message: str
    #: Values of the message, for example ``{"max": 50, "min": 0}``.
    params: Mapping[str, Any] = field(default_factory=dict)


class PocketBaseError(errors.GatewayError):
    """PocketBase refused the request."""

    status = 500

    def __init__(
        self, message: str = "", *, status: int = 0, data: Mapping[str, Any] | None = None
    ) -> None:
        """Take the parts of an error body.

        Args:
            status: the HTTP status, by default the class's.
        """
        errors.GatewayError.__init__(self, message[:_MAX_MESSAGE_CHARACTERS], data)
        if status:
            self.status = status

    @property
    def message(self) -> str:
        """PocketBase's message, or the reason why there is no response."""
        return self.detail


class ValidationFailed(PocketBaseError, errors.InvalidRequest):
    """PocketBase did not accept the values."""

    status = 400
    kind = errors.InvalidRequest

    @property
    def fields(self) -> dict[str, FieldError]:
        """The errors by field, empty if the request is wrong as a whole."""
        return {
            name: FieldError(
                str(each.get("code") or ""),
                str(each.get("message") or ""),
                each.get("params") or {},
            )
            for name, each in self.data.items()
            if isinstance(each, Mapping) and "code" in each
        }


class BatchFailed(ValidationFailed):
    """A request of the batch failed, so nothing was written."""

    #: Index of the request that failed, None if the batch as a whole was refused.
    index: int | None = None
    #: Why that request failed.
    reason: PocketBaseError | None = None


class Unauthenticated(PocketBaseError, errors.Unauthenticated):
    """PocketBase needs a valid token."""

    status = 401
    kind = errors.Unauthenticated


class MfaRequired(Unauthenticated):
    """PocketBase needs a second authentication method."""

    #: Pass it to the second method, for example `auth_with_otp`.
    mfa_id: str = ""


class Forbidden(PocketBaseError, errors.Forbidden):
    """PocketBase does not allow this."""

    status = 403
    kind = errors.Forbidden


class NotFound(PocketBaseError, errors.NotFound):
    """The record does not exist, or the caller may not see it."""

    status = 404
    kind = errors.NotFound


class RateLimited(PocketBaseError, errors.RateLimited):
    """PocketBase's rate limit was exceeded."""

    status = 429
    kind = errors.RateLimited
    #: Seconds to wait before the next attempt.
    retry_after: int = _DEFAULT_RETRY_AFTER_SECONDS
    #: Whether the response had a Retry-After header. PocketBase's own have none.
    is_announced = False


class Unavailable(PocketBaseError, errors.PocketBaseUnavailable):
    """PocketBase does not answer right now."""

    status = 503
    kind = errors.PocketBaseUnavailable
    retry_after = 5
    #: PocketBase's or a proxy's status (5xx, 408), None if there was no response.
    upstream_status: int | None = None


class InvalidAnswer(Unavailable):
    """The answer is not PocketBase's."""

    status = 502


class InvalidRecord(Exception):
    """A record does not fit its model: a mistake in the code, of which clients see nothing."""


_BY_STATUS: Mapping[int, type[PocketBaseError]] = {
    400: ValidationFailed,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    429: RateLimited,
}


def read_error(status: int, body: Any, retry_after: str = "") -> PocketBaseError:
    """Return the exception for an error response.

    Args:
        body: the decoded body; anything but a JSON object has no message.
        retry_after: the header of that name.
    """
    members: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    message = str(members.get("message") or "") or f"HTTP {status}, without a message."
    if status >= 500 or status == 408:  # 408: a proxy's time-out.
        unavailable = Unavailable(f"PocketBase answered HTTP {status}: {message}")
        unavailable.upstream_status = status
        return unavailable
    data = members.get("data")
    kind = _BY_STATUS.get(status, PocketBaseError)
    if status == 401 and members.get("mfaId"):
        kind = MfaRequired
    error = kind(message, status=status, data=data if isinstance(data, Mapping) else {})
    if isinstance(error, MfaRequired):
        error.mfa_id = str(members["mfaId"])
    if isinstance(error, RateLimited) and retry_after.isdecimal():
        error.retry_after = min(int(retry_after), _MAX_RETRY_AFTER_SECONDS)
        error.is_announced = True
    return error


def read_batch_error(error: ValidationFailed) -> BatchFailed:
    """Return a batch's error with the request that failed, as PocketBase nests it in ``data``."""
    found = BatchFailed(error.message, status=error.status, data=error.data)
    requests = error.data.get("requests")
    for index, each in (requests if isinstance(requests, Mapping) else {}).items():
        if str(index).isdecimal() and isinstance(each, Mapping):
            response = each.get("response") or {}
            found.index = int(index)
            found.reason = read_error(int(response.get("status") or error.status), response)
            found.detail = f"Request {index} of the batch failed: {found.reason.message}"
            break
    return found
