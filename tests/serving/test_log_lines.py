"""The short way to a line of the log, which every delivery takes, is no other than the long one."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.logs import note

_BOTH_WAYS = """
import logging
from gateway.logs import note, open_logs
from gateway.request_id import _current

given = {"event": "evt_1", "what": 'two "words"\\nand forged=1', "ms": 1.5, "no": None, "empty": ""}
open_logs("INFO")
_current.set("request-1")
logger = logging.getLogger("gateway.test")
logger.info("one line", extra=given)
note(logger, "one line", **given)
open_logs("WARNING")
logger.info("one line", extra=given)
note(logger, "one line", **given)
"""


def test_both_ways_write_the_same_line() -> None:
    """A record and a note with the same values read the same, and a level silences both."""
    run = subprocess.run(
        [sys.executable, "-c", _BOTH_WAYS], capture_output=True, text=True, check=True, timeout=60
    )
    [recorded, noted] = [line.partition(" ")[2] for line in run.stderr.splitlines()]
    assert noted == recorded
    assert noted == (
        'level=info msg="one line" event=evt_1 what="two \\"words\\"\\u000aand forged=1"'
        ' ms=1.5 no=None empty="" request=request-1'
    )


_BROKEN = """
import logging
from gateway.logs import note, open_logs

open_logs("INFO")
note(logging.getLogger("gateway.test"), "one line")
print("went on")
"""


def test_a_log_that_cant_be_written_stops_nothing() -> None:
    """Where standard error is a full disk, what was to be told is lost, and the work goes on."""
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-c", _BROKEN], stdout=subprocess.PIPE, stderr=full, timeout=60
        )
    assert run.stdout == b"went on\n"


def test_who_else_listens_hears_of_it(caplog: pytest.LogCaptureFixture) -> None:
    """Handlers that somebody added get a note as the record that they know."""
    with caplog.at_level(logging.INFO):
        note(logging.getLogger("gateway.test"), "one line", event="evt_1")
    [record] = caplog.records
    assert (record.getMessage(), vars(record)["event"]) == ("one line", "evt_1")
