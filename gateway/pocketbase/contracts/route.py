"""A route of pb_hooks as a value: method, path, and the models of its request and its answer."""

import logging
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from gateway.errors import HooksMismatch

_log = logging.getLogger(__name__)

#: The reason of a 404.
NO_ROUTE = "404: there is no such route"

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")


class Contract(BaseModel):
    """A request to pb_hooks or its answer.

    Members of later versions are ignored in an answer; a missing one, or one of another type, is
    an error.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Empty(Contract):
    """No members."""


@dataclass(frozen=True, slots=True)
class HookRoute(Generic[RequestT, ResponseT]):
    """One route of pb_hooks."""

    method: Literal["GET", "POST"]
    path: str
    request: type[RequestT]
    response: type[ResponseT]
    #: Whether the route itself answers 404; elsewhere a 404 means that the hooks lack the route.
    may_be_missing: bool = False
    _answers: TypeAdapter[ResponseT] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_answers", TypeAdapter(self.response))

    def read(self, answer: Any, extra: Literal["ignore", "forbid"] = "ignore") -> ResponseT:
        """Return a decoded answer as its model.

        Raises:
            HooksMismatch: it has another form; the log names the members, without their values.
        """
        try:
            return self._answers.validate_python(answer, extra=extra)
        except ValidationError as error:
            reason = describe_errors(error)
        raise self.mismatch(reason)

    def mismatch(self, reason: str) -> HooksMismatch:
        """Return the error for an answer that does not fit the contract, and log the reason."""
        _log.error("unexpected answer of pb_hooks", extra={"route": self.path, "reason": reason})
        return HooksMismatch(
            f"PocketBase's answer to {self.method} {self.path} has another form than this gateway"
            " expects: its hooks are of another version, or a proxy answers in its place"
            " (docs/upgrading.md)."
        )


def describe_errors(error: ValidationError) -> str:
    """Return the first five members that do not fit and the reasons, without any value."""
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in errors[:5])
