"""Faults of the API itself: slow, refused, broken off before or after it acted."""

from dataclasses import asdict, dataclass, field

from stripe_simulator.http.messages import Request
from stripe_simulator.snapshots import JSON


@dataclass(slots=True)
class Fault:
    """One rule: which requests it meets, what it does, and how often still."""

    #: Empty means any method.
    method: str = ""
    #: Prefix of the path.
    path: str = "/v1/"
    #: Wait before acting, in milliseconds.
    delay_ms: int = 0
    #: Answer with this status instead of acting; 429 and 503 carry Retry-After.
    status: int = 0
    #: Other members of the error: type, codes, parameter and message.
    type: str = ""
    code: str = ""
    decline_code: str = ""
    param: str = ""
    message: str = "An unknown error occurred."
    retry_after: int = 1
    #: The header ``Stripe-Should-Retry``, "" for none.
    should_retry: str = ""
    #: Break the connection off `before` or `after` acting.
    reset: str = ""
    #: With reset: keep silent for this long first, so that the caller times out.
    hang_ms: int = 0
    #: How many requests it meets; -1 is for ever.
    times: int = 1

    def meets(self, request: Request) -> bool:
        """Whether the rule is for this request."""
        return self.method in ("", request.method) and request.path.startswith(self.path)


@dataclass(slots=True)
class Faults:
    """The rules in force, oldest first; the first that fits is used."""

    rules: list[Fault] = field(default_factory=list)

    def add(self, given: JSON) -> Fault:
        """Add a rule."""
        fault = Fault(**given)
        self.rules.append(fault)
        return fault

    def next_for(self, request: Request) -> Fault | None:
        """Return the rule that a request meets and count it."""
        for fault in self.rules:
            if fault.meets(request):
                fault.times -= 1
                if fault.times == 0:
                    self.rules.remove(fault)
                return fault
        return None

    def listed(self) -> list[JSON]:
        """The rules as JSON."""
        return [asdict(fault) for fault in self.rules]
