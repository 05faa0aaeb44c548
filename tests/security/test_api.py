"""Every operation of the OpenAPI document answers as it documents, whatever it is sent.

Schemathesis sends invalid and unusual values: missing, of other types, too long, out of range, NUL
bytes, other methods and media types. `make test ARGS='tests/security/test_api.py --api-examples
200'` sends more of them, `--api-seed 2` others.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.security.conftest import Owned

_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
)
#: Phases and operations by caller. `coverage` tries each boundary of each parameter, which
#: takes the most time: as superuser and as user where the token opens the operation.
_EVERY_PHASE = "--phases=examples,coverage,fuzzing"
_OPTIONS = {
    "superuser": (_EVERY_PHASE, "--include-path-regex=^/(admin|jobs|notes|records|usage)"),
    "user": (_EVERY_PHASE, "--exclude-path-regex=^/admin"),
    "guest": ("--phases=examples,fuzzing",),
}


def _read_document(stack: Stack) -> dict[str, Any]:
    """Return the document without `default` responses, so that each status must be listed."""
    answer = httpx.get(f"{stack.gateway.url}/openapi.json", trust_env=False)
    document: dict[str, Any] = answer.raise_for_status().json()
    for item in document["paths"].values():
        for operation in item.values():
            del operation["responses"]["default"]
    return document


@pytest.mark.parametrize("caller", ["superuser", "user", "guest"])
def test_every_operation_answers_as_documented(
    caller: str,
    stack: Stack,
    owned: Owned,
    superuser_token: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """No 5xx, and no status, content type or member that the document does not list.

    The output of a failure has a curl command for each, and the seed.
    """
    tokens = {"superuser": superuser_token, "user": owned.user.token}
    schema = tmp_path / "openapi.json"
    schema.write_text(json.dumps(_read_document(stack)))
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", str(schema)]
    command += [f"--url={stack.gateway.url}", f"--checks={','.join(_CHECKS)}"]
    command += [*_OPTIONS[caller], "--continue-on-failure"]
    command += [f"--max-examples={request.config.getoption('--api-examples')}"]
    command += [f"--seed={request.config.getoption('--api-seed')}", "--suppress-health-check=all"]
    command += ["--request-timeout=60", "--generation-database=none", "--warnings=off"]
    if caller in tokens:
        command += ["-H", f"Authorization: Bearer {tokens[caller]}"]
    done = subprocess.run(
        command,
        env=os.environ
        | {
            "SCHEMATHESIS_HOOKS": "tests.security.real_values",
            "REAL_VALUES": json.dumps(owned.ids),
            "WEBHOOK_SECRET": stack.plan.stripe.webhook_secrets[0],
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
