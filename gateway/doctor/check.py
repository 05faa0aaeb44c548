"""A check of one assumption, its result, and the registry of all checks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.doctor.context import Context
from gateway.doctor.requirements import Need

#: Seconds for one check.
_CHECK_SECONDS = 10.0


class CheckStatus(StrEnum):
    """The result of a check; only ``failed`` changes the exit code."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The finding of a check, and its fix."""

    status: CheckStatus
    #: One sentence.
    found: str
    #: One sentence; "" if nothing has to change.
    fix: str = ""
    #: One text per finding, if there are several.
    details: tuple[str, ...] = ()


def ok(found: str) -> CheckResult:
    """Return the result of an assumption that is true."""
    return CheckResult(CheckStatus.OK, found)


def warning(found: str, fix: str, *details: str) -> CheckResult:
    """Return the result of an assumption that may become false, or matters only in production."""
    return CheckResult(CheckStatus.WARNING, found, fix, details)


def failed(found: str, fix: str, *details: str) -> CheckResult:
    """Return the result of an assumption that is false."""
    return CheckResult(CheckStatus.FAILED, found, fix, details)


CheckFunction = Callable[[Context], Awaitable[CheckResult]]


@dataclass(frozen=True, slots=True)
class Check:
    """One assumption about a deployment."""

    #: Stable: for CI, runbooks and `--only`.
    id: str
    #: The assumption, in a few words.
    title: str
    run: CheckFunction
    needs: tuple[Need, ...]
    seconds: float = _CHECK_SECONDS

    @property
    def group(self) -> str:
        """The part of the id before the dot, such as ``stripe``."""
        return self.id.partition(".")[0]


#: All checks by id, in the order of the table.
CHECKS: dict[str, Check] = {}


def check(
    id: str, title: str, *needs: Need, seconds: float = _CHECK_SECONDS
) -> Callable[[CheckFunction], CheckFunction]:
    """Add a function to the checks.

    Args:
        id: ``group.name``; unique.
        title: the assumption, in a few words.
        needs: without these the check is skipped.
        seconds: the time limit.
    """

    def add(function: CheckFunction) -> CheckFunction:
        if id in CHECKS:
            raise ValueError(f"there is a check {id} already")
        CHECKS[id] = Check(id, title, function, needs, seconds)
        return function

    return add
