"""Log lines: one renderer for all loggers, logfmt or JSON."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

_LINES = """
import logging, sys
import structlog
from asgi_correlation_id import correlation_id
from gateway.logs import open_logs

values = {"type": "a.b", "what": 'two "words"\\nand forged=1\\u2028\\x9b\\r', "ms": 1.5, "no": None,
          "empty": "", "yes": True, "many": [1], "half": "\\ud800"}
open_logs("INFO", sys.argv[1])
correlation_id.set("request-1")
library, ours = logging.getLogger("uvicorn.error"), structlog.get_logger()
library.info("one %s", "line", extra={"event": "evt_1", "color_message": "red"} | values)
ours.info("one line", event_id="evt_1", **values)
library.debug("too much")
ours.debug("too much")
try:
    raise RuntimeError("the reason")
except RuntimeError:
    library.exception("failed")
    ours.exception("failed")
"""


def _log(form: str, script: str = _LINES) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-c", script, form],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return run.stderr.split("\n")[:-1]


def _read(line: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(line)
    assert str(found.pop("time")).endswith("Z")
    return found


def test_all_loggers_write_the_same_keys_as_logfmt() -> None:
    """A library's record and a line of ours differ in the order of keys only."""
    lines = _log("logfmt")
    recorded, ours = lines[0], lines[1]
    expected = (
        ' level=info msg="one line" event=evt_1 type=a.b'
        ' what="two \\"words\\"\\u000aand forged=1\\u2028\\u009b\\u000d" ms=1.5 no=None empty=""'
        ' yes=True many="[1]" half="\\ud800" request=request-1'
    )
    assert recorded.startswith("time=20")
    assert recorded.endswith(expected)
    assert ours.replace(" event=evt_1", "", 1) != ours
    assert sorted(ours.split()[1:]) == sorted(recorded.split()[1:])


def test_a_traceback_follows_its_line() -> None:
    """As logfmt, a traceback is readable below its line."""
    text = "\n".join(_log("logfmt"))
    assert text.count("level=error msg=failed request=request-1\nTraceback") == 2
    assert text.count("\nRuntimeError: the reason") == 2


def test_json_is_one_object_per_line() -> None:
    """Every line is JSON with the same keys, also with a traceback."""
    recorded, ours, *failed = map(_read, _log("json"))
    assert recorded == ours
    assert ours["event"] == "evt_1"
    assert ours["what"] == 'two "words"\nand forged=1\u2028\x9b\r'
    assert {"msg": "one line", "level": "info", "request": "request-1", "ms": 1.5}.items() <= (
        ours.items()
    )
    assert len(failed) == 2
    for line in failed:
        assert "RuntimeError: the reason" in str(line.pop("exception"))
        assert line == {"msg": "failed", "level": "error", "request": "request-1"}


_SECRETS = """
import logging, sys
import pydantic, structlog
from fastapi.exceptions import ResponseValidationError
from gateway.logs import open_logs

class Model(pydantic.BaseModel):
    number: int

open_logs("INFO", sys.argv[1])
text = "login of jo.doe+x@example.org: smtps://me:pass-word@mail.test, eyJhbGci.eyJpZCI6.c2ln-a_"
text += " j\\u00fcrgen@example.org " + "\\u00fc\\n" * 40 + "\\u00fc" * 70 + "@example.org,"
text += " Bearer(eyJhbGciOi) sk_test_123456 rk_live_123456 whsec_MfKQ9r8"
text += " pi_3Abc_secret_c1ient Authorization: Bearer metrics-token, Basic dXNlcjpwYXNz end"
library, ours = logging.getLogger("library"), structlog.get_logger()
library.info("key", extra={"reason": text})
ours.info("key", reason=text)
for logger in (library, ours):
    logger.info(text)
    try:
        try:
            Model(number="private, input_type=words")
        except ValueError as error:
            invalid = {"type": "int_type", "input": {"a": "private, 'words'"}, "ctx": "private"}
            response = ResponseValidationError([invalid])
            response.__cause__ = error
            raise RuntimeError(text) from response
    except RuntimeError:
        logger.exception("failed")
logging.getLogger("library").info("a secret: whsec_ or sk_, module_@, (@request.auth.id)")
"""


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_addresses_tokens_and_refused_values_are_masked(form: str) -> None:
    """Log lines of libraries and tracebacks too: the text of an error is not trusted."""
    lines = _log(form, _SECRETS)
    log = "\n".join(lines)
    secrets: tuple[str, ...] = (
        "jo.doe",
        "example.org",
        "pass-word",
        "eyJ",
        "c2ln",
        "123456",
        "MfKQ",
        "private",
    )
    secrets += ("c1ient", "metrics-token", "dXNl")
    assert [secret for secret in (*secrets, "words") if secret in log] == []
    assert log.count("<masked>") == 6 * 12
    assert log.count(" end") == 6
    assert "a secret: whsec_ or sk_, module_@, (@request.auth.id)" in lines[-1]
    if form == "json":
        assert len([_read(line) for line in lines]) == 7


_BROKEN = """
import logging
import structlog
from gateway.logs import open_logs

open_logs("INFO")
logging.getLogger("gateway.test").info("one line")
structlog.get_logger().info("one line")
print("went on")
"""


@pytest.mark.parametrize("target", ["/dev/full", ""], ids=["full disk", "closed"])
def test_a_log_that_cant_be_written_stops_nothing(target: str) -> None:
    """If standard error is closed or its disk is full, the line is lost and the work continues."""
    command = [sys.executable, "-c", _BROKEN]
    if target:
        with Path(target).open("w") as full:
            run = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, timeout=60)
    else:
        shell = ["sh", "-c", 'exec "$@" 2>&-', "sh", *command]
        run = subprocess.run(shell, stdout=subprocess.PIPE, timeout=60)
    assert run.stdout == b"went on\n"
