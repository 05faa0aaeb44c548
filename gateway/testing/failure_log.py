"""Shows what the app logged during a test that failed."""

from collections.abc import Generator
from pathlib import Path

import pytest

from gateway.dev.stack import Stack

_OFFSET: pytest.StashKey[int] = pytest.StashKey()
_MAX_LINES = 60
_ROUTINE = ("level=info", "level=debug")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Note where the app's log ends before a test."""
    if log := _find_log(item):
        item.stash[_OFFSET] = log.stat().st_size
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the app's warnings and errors to the report of a failed test."""
    report = yield
    log = _find_log(item)
    is_failed_call = report.when == "call" and report.failed
    if is_failed_call and log and (text := _read_from(log, item.stash.get(_OFFSET, 0))):
        report.sections.append(("App log during the test", text))
    return report


def _find_log(item: pytest.Item) -> Path | None:
    stack = getattr(item, "funcargs", {}).get("stack")
    return stack.gateway.log if isinstance(stack, Stack) and stack.gateway.log.exists() else None


def _read_from(log: Path, offset: int) -> str:
    with log.open("rb") as file:
        file.seek(offset)
        lines = file.read().decode(errors="replace").splitlines()
    shown = [line for line in lines if not any(level in line for level in _ROUTINE)]
    return "\n".join(shown[-_MAX_LINES:])
