"""The PromQL expressions of docker/monitoring, and the metrics and labels that they read."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser
import yaml
from prometheus_client.parser import text_string_to_metric_families

from gateway.dev.pocketbase import ROOT

MONITORING = ROOT / "docker" / "monitoring"
#: Labels that Prometheus adds to each sample.
_ADDED = {"job", "instance", "le"}
_LEGEND_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression of a panel, an annotation or an alert."""

    #: The panel's or alert's title.
    title: str
    text: str
    legend: str = ""

    def parse(self) -> promql_parser.Expr:
        """Return its syntax tree.

        Raises:
            ValueError: the expression is not PromQL.
        """
        # Grafana fills this in.
        return promql_parser.parse(self.text.replace("$__rate_interval", "5m"))


@dataclass(frozen=True, slots=True)
class Selector:
    """One metric that an expression reads."""

    metric: str
    #: Every label that the expression names, without those that Prometheus adds.
    labels: frozenset[str]
    #: The values that a matcher requires, by label.
    required: tuple[tuple[str, str], ...]
    title: str


def read_alerts() -> list[dict[str, Any]]:
    """Return the alert rules."""
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def read_dashboard() -> dict[str, Any]:
    """Return the dashboard's JSON model."""
    found: dict[str, Any] = json.loads((MONITORING / "gateway.json").read_text())
    return found


def read_expressions() -> list[Expression]:
    """Return every expression of the dashboard and the alert rules."""
    dashboard = read_dashboard()
    return [
        *(Expression(rule["alert"], rule["expr"]) for rule in read_alerts()),
        *(Expression(a["name"], a["expr"]) for a in dashboard["annotations"]["list"]),
        *(
            Expression(panel["title"], target["expr"], target["legendFormat"])
            for panel in dashboard["panels"]
            for target in panel.get("targets", [])
        ),
    ]


def read_selectors(prefix: str = "") -> list[Selector]:
    """Return every metric that begins with the prefix, with the labels that are read from it."""
    found = {each for expression in read_expressions() for each in _find_selectors(expression)}
    chosen = [each for each in found if each.metric.startswith(prefix)]
    assert chosen
    return chosen


def _find_selectors(expression: Expression) -> Iterator[Selector]:
    selectors: list[promql_parser.VectorSelector] = []
    grouping: set[str] = set(_LEGEND_LABEL.findall(expression.legend))

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            selectors.append(node)
        if isinstance(node, promql_parser.MatrixSelector):
            selectors.append(node.vector_selector)
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            grouping.update(node.modifier.labels)

    promql_parser.walk(expression.parse(), visit)
    for node in selectors:
        matchers = node.matchers.matchers
        labels = grouping | {matcher.name for matcher in matchers}
        required = tuple((m.name, m.value) for m in matchers if str(m.op).endswith("Equal"))
        assert node.name, expression
        yield Selector(node.name, frozenset(labels - _ADDED), required, expression.title)


def check_samples(text: str, prefix: str) -> None:
    """Check that the text has every metric with this prefix that an expression reads.

    Args:
        text: metrics in Prometheus's text format.

    Raises:
        AssertionError: the message names the expression's title.
    """
    samples = [
        sample for family in text_string_to_metric_families(text) for sample in family.samples
    ]
    for selector in read_selectors(prefix):
        name = selector.metric
        assert re.search(rf"^{name}[{{ ]", text, re.MULTILINE), selector
        # The parser appends _total to the name of a counter without it.
        found = [each.labels for each in samples if each.name in (name, f"{name}_total")]
        assert any(
            selector.labels <= set(labels) and labels.items() >= set(selector.required)
            for labels in found
        ), selector
