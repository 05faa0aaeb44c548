"""Routes of the queue of changes to Stripe customers."""

from typing import Literal

from gateway.pocketbase.contracts.route import Contract, Empty, HookRoute
from gateway.pocketbase.contracts.text import FreeText


class TakeRequest(Contract):
    """Tasks to hand out."""

    limit: int
    #: Seconds for which a task is this gateway's.
    lease: int


class CustomerTask(Contract):
    """A change that is not yet made at Stripe."""

    id: str
    kind: Literal["update", "move", "forget", "promote"]
    #: A user's id, or ``organizations/`` and an organization's.
    user: str
    customer: str
    #: Raised by each further change of the same customer.
    version: int
    attempts: int
    #: None for fields that stay unchanged at Stripe.
    email: str | None
    name: str | None


class TakeAnswer(Contract):
    """The tasks that are due."""

    tasks: tuple[CustomerTask, ...]


class TaskEnd(Contract):
    """The result of a task; without an outcome it is tried again after ``retry`` seconds."""

    id: str
    version: int = 0
    outcome: str = ""
    error: FreeText = ""
    retry: int = 0


TAKE_TASKS = HookRoute("POST", "/api/gateway/tasks/take", TakeRequest, TakeAnswer)
END_TASK = HookRoute("POST", "/api/gateway/tasks/end", TaskEnd, Empty)
