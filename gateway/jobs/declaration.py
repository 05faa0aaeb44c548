"""A job as a team declares it: a function, who may start it, and its limits."""

import inspect
import math
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from limits import parse
from pydantic import BaseModel

from gateway.source import Source
from gateway.start_error import InvalidRegistration
from gateway.work.team_function import GATEWAY, JOB

#: ``async def render(report: ReportInput, job: JobContext) -> Report``; without input only ``job``.
JobFunction = Callable[..., Awaitable[Any]]
Starter = Literal["user", "superuser", "anyone"]
#: The callers that may start a job: a kind of caller, or a FastAPI dependency that returns the
#: `AuthRecord` of the user (None for a guest) and raises for other callers.
Who = Starter | Callable[..., Any]

#: Prefixes of the names under which jobs are stored in the queue: of an app, and the gateway's own.
_PREFIX = f"{JOB}."
_INTERNAL_PREFIX = f"{GATEWAY}."
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
_MAX_TIMEOUT_SECONDS = 86_400.0
#: Finished rows are kept for seven days: a longer period would count too few.
_MAX_PERIOD_SECONDS = 7 * 86_400


@dataclass(frozen=True, slots=True)
class StartLimits:
    """Limits of a job per user, checked in the transaction that stores the row; 0: no limit."""

    #: Jobs of this name that wait or run.
    max_open: int = 0
    #: Jobs of this name started within `period_seconds`.
    max_started: int = 0
    period_seconds: int = 0

    @classmethod
    def of(cls, max_open: int, rate: str) -> Self:
        """Return the limits.

        Args:
            rate: such as "10/hour"; "" for none.

        Raises:
            ValueError: one of them is not valid.
        """
        if max_open < 0:
            raise ValueError("per_user must be 0 (no limit) or more")
        if not rate:
            return cls(max_open)
        try:
            limit = parse(rate)
        except ValueError:
            raise ValueError(f'rate is {rate!r}, but must be like "10/hour"') from None
        seconds = limit.get_expiry()
        if seconds > _MAX_PERIOD_SECONDS:
            raise ValueError("the period of rate must be at most seven days")
        return cls(max_open, limit.amount, seconds)


@dataclass(frozen=True, slots=True)
class Job:
    """A function that is run as a job.

    Raises:
        ValueError: an option is not valid; the message names it.
    """

    #: The last part of ``POST /jobs/{name}``.
    name: str
    function: JobFunction
    #: The Pydantic model of the request's body; None for a function without input.
    model: type[BaseModel] | None
    who: Who = "user"
    limits: StartLimits = field(default_factory=StartLimits)
    #: Attempts before the job is parked.
    tries: int = 5
    #: Seconds of one attempt.
    timeout: float = 300.0
    #: Jobs of this name that one process runs at once.
    concurrency: int = 4
    #: Whether it is the gateway's own, which has no endpoint.
    is_internal: bool = False
    #: The file and line of the declaration, None for the gateway's own.
    source: Source | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"the job's name is {self.name!r}, but must have lower-case letters, digits, - and"
                " _, a letter first"
            )
        if not callable(self.who) and self.who not in get_args(Starter):
            raise ValueError(
                "who must be user, superuser, anyone, or a dependency that returns the user"
            )
        if self.tries < 1:
            raise ValueError("tries must be 1 or more")
        if self.concurrency < 1:
            raise ValueError("concurrency must be 1 or more")
        if not (math.isfinite(self.timeout) and 0 < self.timeout <= _MAX_TIMEOUT_SECONDS):
            raise ValueError("timeout must be more than 0 and at most 86400 seconds")

    @property
    def handler(self) -> str:
        """The name under which the job's rows are stored."""
        return f"{_INTERNAL_PREFIX if self.is_internal else _PREFIX}{self.name}"

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]


def name_of(handler: str) -> str:
    """Return the name of the job of a row."""
    return handler.removeprefix(_PREFIX).removeprefix(_INTERNAL_PREFIX)


def read_input_model(function: JobFunction) -> type[BaseModel] | None:
    """Return the model of a job's input; None if its function takes the context alone.

    Raises:
        ValueError: the function is not async, or its parameters are not (input, job) or (job).
    """
    if not inspect.iscoroutinefunction(function):
        raise ValueError("a job must be an async function; call blocking code by job.step")
    try:
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())
    except NameError as error:
        raise ValueError(f"an annotation of the function can't be resolved: {error}") from error
    if len(parameters) == 1:
        return None
    if len(parameters) != 2:
        raise ValueError("a job is called with its input and the context, or the context alone")
    model = parameters[0].annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise ValueError("the first parameter of a job must be annotated with a Pydantic model")
    return model


def index_jobs(jobs: Iterable[Job]) -> Mapping[str, Job]:
    """Return the jobs by name.

    Raises:
        InvalidRegistration: two functions have the same name.
    """
    found: dict[str, Job] = {}
    for job in jobs:
        known = found.setdefault(job.name, job)
        if known is not job:
            raise InvalidRegistration(
                f"{job.source}: the job at {known.source} is named {job.name} too; give one of"
                " them another name"
            )
    return found
