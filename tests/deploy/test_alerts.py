"""docker/monitoring: every alert reads metrics that exist, and has a runbook."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

_ROOT = Path(__file__).parents[2]
_RULES = _ROOT / "docker" / "monitoring" / "alerts.yml"
_METRIC = re.compile(r"\bgateway_[a-z_]+")
#: Names that prometheus_client makes of a counter or histogram.
_SUFFIX = re.compile(r"_(?:total|bucket|count|sum)$")


def _read_alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(_RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _read_names() -> set[str]:
    """Return the names of metrics in the code; calls are named by service."""
    sources = ("gateway/metrics.py", "gateway/health/metrics_endpoint.py")
    text = "".join((_ROOT / source).read_text() for source in sources)
    services = ("pocketbase", "stripe")
    per_service = {
        f"gateway_{service}_{what}" for service in services for what in ("calls", "seconds")
    }
    return set(re.findall(r'"(gateway_[a-z_]+)"', text)) | per_service


@pytest.mark.parametrize("alert", _read_alerts(), ids=lambda alert: str(alert["alert"]))
def test_an_alert_reads_metrics_that_exist(alert: dict[str, Any]) -> None:
    """A renamed metric would silence its alert."""
    used = {_SUFFIX.sub("", name) for name in _METRIC.findall(alert["expr"])}
    assert used - _read_names() == set()


@pytest.mark.parametrize("alert", _read_alerts(), ids=lambda alert: str(alert["alert"]))
def test_an_alert_has_a_runbook(alert: dict[str, Any]) -> None:
    """The page of the alert begins with its name, and the index lists it."""
    page = _ROOT / alert["annotations"]["runbook"]
    assert page.read_text().startswith(f"# {alert['alert']}\n")
    assert (
        f"| `{alert['alert']}` | [{page.name}]({page.name}) |"
        in (page.parent / "README.md").read_text()
    )


def test_runbooks_name_commands_that_exist() -> None:
    """Each `gateway …` command of a runbook has a help page."""
    pages = "".join(page.read_text() for page in (_ROOT / "docs" / "runbooks").glob("*.md"))
    commands = set(
        re.findall(r"gateway (events|work|reconcile) ?(list|retry|prune|cancel|resume)?", pages)
    )
    assert ("work", "retry") in commands
    for parts in commands:
        words = [part for part in parts if part]
        done = subprocess.run(
            [sys.executable, "-m", "gateway", *words, "--help"],
            capture_output=True,
            cwd=_ROOT,
            timeout=60,
        )
        assert done.returncode == 0, words


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_accepts_the_rules() -> None:
    """Prometheus's own check accepts the rules."""
    subprocess.run(["promtool", "check", "rules", str(_RULES)], check=True, timeout=60)
