"""The log of background work while PocketBase is away."""

import logging

import pytest

from gateway import background
from gateway.errors import PocketBaseUnavailable

_log = logging.getLogger("gateway.test")


def _describe(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(record.levelno, record.getMessage()) for record in caplog.records]


def _make_unanswered() -> PocketBaseUnavailable:
    error = PocketBaseUnavailable()
    error.__cause__ = ConnectionRefusedError()
    return error


def test_an_outage_is_one_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state of each kind of waiting work is logged at level DEBUG."""
    monkeypatch.setattr(background, "_reported", float("-inf"))
    caplog.set_level(logging.DEBUG)
    for name in ("work", "seat sync", "schedules"):
        background.log_postponed(_log, name, _make_unanswered())
    found = _describe(caplog)
    assert [text for level, text in found if level >= logging.INFO] == [
        "PocketBase does not answer: background work waits"
    ]
    assert (logging.DEBUG, "seat sync postponed") in found


def test_an_answer_that_is_an_error_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """PocketBase answers, so the reason is of interest."""
    background.log_postponed(_log, "seat sync", PocketBaseUnavailable("PocketBase answered 500."))
    assert _describe(caplog) == [(logging.WARNING, "seat sync postponed")]
