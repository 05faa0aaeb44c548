"""Checks requests, answers and events; keeps the violations."""

from typing import Any

from stripe_simulator.contract.coercion import coerce
from stripe_simulator.contract.differences import LACKING
from stripe_simulator.contract.specification import Specification, specification
from stripe_simulator.errors import StripeError, invalid
from stripe_simulator.http.api import version_of
from stripe_simulator.http.form import nest
from stripe_simulator.http.messages import Answer, Request
from stripe_simulator.settings import API_VERSION
from stripe_simulator.snapshots import JSON

#: Events that the document's list lacks.
MORE_EVENTS = {"discount.created"}


class Contract:
    """Holds what passes through a simulator against Stripe's document."""

    def __init__(self, spec: Specification | None = None) -> None:
        self.spec = spec or specification()
        #: Violations: {"where", "what", "message", "at"}.
        self.violations: list[JSON] = []

    def check_request(self, request: Request) -> StripeError | None:
        """Return Stripe's answer to parameters that the document does not allow."""
        template = self.spec.path_of(request.method, request.path)
        if template is None or request.path.startswith("/v2/"):
            return None
        text = request.body.decode() if request.body else request.query
        older = version_of(request) < API_VERSION
        schema = self.spec.request_schema(request.method, template, older)
        params = coerce(nest(text), schema)
        validator = self.spec.request_validator(request.method, template, older)
        for error in validator.iter_errors(params):
            self._keep(request.method + " " + request.path, "request", error)
            return _answer(error)
        return None

    def check_answer(self, request: Request, answer: Answer) -> JSON | None:
        """Return the violation of an answer, if there is one."""
        template = self.spec.path_of(request.method, request.path)
        if template is None or answer.status != 200 or request.path.startswith("/v2/"):
            return None
        validator = self.spec.answer_validator(request.method, template)
        return self._first(request.method + " " + request.path, "answer", validator, answer.body)

    def check_event(self, event: JSON) -> None:
        """Check an event's type and the object it carries."""
        kind = event["data"]["object"]["object"]
        if event["type"] not in self.spec.event_types | MORE_EVENTS:
            where = {"where": event["type"], "what": "event", "at": "type"}
            self.violations.append(where | {"message": "no such type of event"})
        validator = self.spec.object_validator(kind, tuple(LACKING.get(event["type"], ())))
        self._first(event["type"], "event", validator, event["data"]["object"])
        known = self.spec.schemas[kind]["properties"]
        for name in event["data"].get("previous_attributes", {}):
            if name not in known:
                where = {"where": event["type"], "what": "previous_attributes", "at": name}
                self.violations.append(where | {"message": "no such attribute"})

    def _first(self, where: str, what: str, validator: Any, value: JSON) -> JSON | None:
        if validator.is_valid(value):
            return None
        for error in validator.iter_errors(value):
            return self._keep(where, what, error)
        return None

    def _keep(self, where: str, what: str, error: Any) -> JSON:
        violation = {
            "where": where,
            "what": what,
            "at": "/".join(str(part) for part in error.instance_path),
            "message": str(error.message)[:500],
        }
        self.violations.append(violation)
        return violation


def _innermost(error: Any) -> Any:
    """Of a value with several alternatives, the error of the alternative that was meant."""
    for _ in range(8):
        if _kind(error) != "AnyOf":
            break
        inside = [inner for branch in error.kind.context for inner in branch]
        meant = [inner for inner in inside if _kind(inner) not in ("Type", "Enum", "Constant")]
        if not meant:
            break
        error = meant[0]
    return error


def _kind(error: Any) -> str:
    return type(error.kind).__name__.rpartition("_")[2]


def _answer(error: Any) -> StripeError:
    error = _innermost(error)
    path = [str(part) for part in error.instance_path]
    kind = _kind(error)
    if kind == "AdditionalProperties":
        path.append(str(error.kind.unexpected[0]))
        name = _bracketed(path)
        return invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")
    if kind == "Required":
        path.append(str(error.kind.property))
        name = _bracketed(path)
        return invalid(f"Missing required param: {name}.", name, "parameter_missing")
    name = _bracketed(path)
    return invalid(
        f"Invalid value for {name}: {str(error.message)[:200]}", name, "parameter_invalid"
    )


def _bracketed(path: list[str]) -> str:
    return path[0] + "".join(f"[{part}]" for part in path[1:]) if path else ""
