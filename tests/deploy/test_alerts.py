"""The alert rules: each has a runbook, and fires when it should."""

import re
import shutil
import subprocess
import sys
from typing import Any

import pytest
import yaml

from gateway.dev.pocketbase import ROOT
from tests.deploy.expressions import MONITORING, read_alerts

_RULES = MONITORING / "alerts.yml"
_RULE_TESTS = ROOT / "tests" / "deploy" / "alerts.test.yml"
needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed (Debian: prometheus)"
)


@pytest.mark.parametrize("alert", read_alerts(), ids=lambda alert: str(alert["alert"]))
def test_an_alert_has_a_runbook(alert: dict[str, Any]) -> None:
    """The page of the alert begins with its name, and the index lists it."""
    page = ROOT / alert["annotations"]["runbook"]
    assert page.read_text().startswith(f"# {alert['alert']}\n")
    assert (
        f"| `{alert['alert']}` | [{page.name}]({page.name}) |"
        in (page.parent / "README.md").read_text()
    )


def test_runbooks_name_commands_that_exist() -> None:
    """Each `gateway …` command of a runbook has a help page."""
    pages = "".join(page.read_text() for page in (ROOT / "docs" / "runbooks").glob("*.md"))
    commands = set(
        re.findall(r"gateway (events|work|reconcile) ?(list|retry|prune|cancel|resume)?", pages)
    )
    assert ("work", "retry") in commands
    for parts in commands:
        words = [part for part in parts if part]
        done = subprocess.run(
            [sys.executable, "-m", "gateway", *words, "--help"],
            capture_output=True,
            cwd=ROOT,
            timeout=60,
        )
        assert done.returncode == 0, words


@needs_promtool
def test_alerts_fire_when_they_should() -> None:
    """Prometheus's own check accepts the rules, and evaluates them over given series."""
    subprocess.run(["promtool", "check", "rules", _RULES], check=True, timeout=60)
    subprocess.run(["promtool", "test", "rules", _RULE_TESTS], check=True, timeout=60)


def test_every_alert_is_tested() -> None:
    """The rule tests have each alert once firing and once silent."""
    cases: dict[str, set[bool]] = {}
    for test in yaml.safe_load(_RULE_TESTS.read_text())["tests"]:
        for case in test["alert_rule_test"]:
            cases.setdefault(case["alertname"], set()).add(bool(case.get("exp_alerts")))
    assert cases == {str(rule["alert"]): {True, False} for rule in read_alerts()}
