"""docker/monitoring: every expression reads metrics that exist, with labels that they have."""

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.pocketbase import ROOT
from gateway.dev.ports import LOOPBACK, pick_free
from gateway.dev.process import Process, inherit_environment
from gateway.metrics import REGISTRY
from tests.dashboard import Dashboard
from tests.deadline import wait_until
from tests.deploy.bucket import open_bucket
from tests.deploy.expressions import (
    MONITORING,
    Expression,
    check_samples,
    read_dashboard,
    read_expressions,
    read_selectors,
)
from tests.deploy.test_alerts import needs_promtool

#: Counts the successful ones.
_UPLOADS = "litestream_replica_operation_total"
_TRANSACTIONS = "litestream_txid"
_TOKEN = "a-token-of-a-test-only"
_PROMETHEUS = shutil.which("prometheus")


@pytest.mark.parametrize("expression", read_expressions(), ids=lambda each: each.title)
def test_an_expression_is_promql(expression: Expression) -> None:
    """Syntax and types are right; a typing error would leave a panel empty, or an alert silent."""
    expression.parse()


def test_wrong_expressions_are_found() -> None:
    """The parser refuses wrong syntax, types and functions."""
    for text in ("sum(rate(a[5m])", "sum(rate(a))", "rte(a[5m])"):
        with pytest.raises(ValueError, match=r"."):
            Expression("wrong", text).parse()


async def test_the_metrics_of_the_gateway_exist(
    start_gateway: Callable[..., GatewayProcess], http: httpx.AsyncClient, dashboard: Dashboard
) -> None:
    """Each metric that an expression reads is in a running gateway's /metrics, with its labels."""
    item = {"kind": "task", "handler": f"tests.monitoring_{token_hex(4)}", "status": "parked"}
    item["completed_at"] = "2099-01-01 00:00:00.000Z"  # Retention deletes older ones.
    await dashboard.call("POST", "/api/collections/gateway_work/records", item)
    backup = f"monitoring_{token_hex(4)}.zip"
    await dashboard.call("POST", "/api/backups", {"name": backup})
    try:
        gateway = start_gateway(GATEWAY_METRICS_TOKEN=_TOKEN)
        found = await _read_labels(http, gateway)
    finally:
        await dashboard.call("DELETE", f"/api/backups/{backup}")
    declared = {
        name: frozenset(labels)
        for name, labels in found.items()
        if name.startswith(("gateway_", "process_"))
    }
    for selector in [*read_selectors("gateway_"), *read_selectors("process_")]:
        assert selector.metric in declared, selector
        assert selector.labels <= declared[selector.metric], selector


async def _read_labels(http: httpx.AsyncClient, gateway: GatewayProcess) -> dict[str, set[str]]:
    """Return the labels by metric; of a metric that counted nothing yet, those that it declares."""
    headers = {"Authorization": f"Bearer {_TOKEN}"}
    text = (await http.get(f"{gateway.url}/metrics", headers=headers)).text
    declared = dict(_read_declared())
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
        if not family.samples:
            found |= {name: declared[name] for name in declared if name.startswith(family.name)}
    return found


def _read_declared() -> Iterator[tuple[str, set[str]]]:
    for collector, names in REGISTRY._collector_to_names.items():
        yield from ((name, set(getattr(collector, "_labelnames", ()))) for name in names)


def test_the_dashboard_has_every_metric_of_the_gateway() -> None:
    """A metric that no panel shows is of no use to an operator."""
    shown = {selector.metric for selector in read_selectors("gateway_")}
    for family in REGISTRY.collect():
        if family.name.startswith("gateway_"):
            assert any(name.startswith(family.name) for name in shown), family.name


def test_jobs_exist() -> None:
    """Expressions name jobs of Prometheus's configuration; each job finds all replicas by DNS."""
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    jobs = {each["job_name"]: each["dns_sd_configs"][0] for each in config["scrape_configs"]}
    for discovery in jobs.values():
        [name] = discovery["names"]
        assert name in services
        assert discovery["type"] == "A"
    named = {
        job
        for expression in read_expressions()
        for matched in re.findall(r'job=~?"([^"]+)"', expression.text)
        for job in matched.split("|")
    }
    assert named <= set(jobs)


def test_the_dashboard_is_provisioned() -> None:
    """Grafana's provisioning names the mounted folder and the data source; panels don't overlap."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    [provider] = yaml.safe_load(
        (MONITORING / "grafana" / "dashboards" / "gateway.yml").read_text()
    )["providers"]
    folder = provider["options"]["path"]
    assert (
        f"./docker/monitoring/gateway.json:{folder}/gateway.json:ro"
        in (services["grafana"]["volumes"])
    )
    [source] = yaml.safe_load(
        (MONITORING / "grafana" / "datasources" / "prometheus.yml").read_text()
    )["datasources"]
    [variable] = read_dashboard()["templating"]["list"]
    assert variable["query"] == source["type"]
    assert variable["current"]["value"] == source["uid"]
    cells = [cell for panel in read_dashboard()["panels"] for cell in _list_cells(panel["gridPos"])]
    assert len(cells) == len(set(cells))
    ids = [panel["id"] for panel in read_dashboard()["panels"]]
    assert len(ids) == len(set(ids))


def _list_cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        assert x < 24
        yield from ((x, y) for y in range(place["y"], place["y"] + place["h"]))


def test_litestream_has_the_metrics_that_are_read(tmp_path: Path) -> None:
    """They are where Prometheus reads them; uploads that fail are those that stand still."""
    given = yaml.safe_load((ROOT / "docker" / "litestream.yml").read_text())
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    [port] = [
        each["dns_sd_configs"][0]["port"]
        for each in config["scrape_configs"]
        if each["job_name"] == "backup"
    ]
    assert given["addr"] == f":{port}"
    database = tmp_path / "data.db"
    with closing(sqlite3.connect(database)) as connection, open_bucket() as bucket:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE rows (id)")
        keys = {"access-key-id": "a", "secret-access-key": "b"}
        target = {"path": str(database), "replica": {"url": bucket.url, **keys}}
        with _run_litestream(tmp_path, target) as url:
            check_samples(wait_until(lambda: _read_complete(url), 30), "litestream_")
            bucket.is_refusing = True
            wait_until(lambda: _write(connection) and bucket.refused, 30)
            uploads, before = _read_number(url, _UPLOADS), _read_number(url, _TRANSACTIONS)
            wait_until(lambda: _write(connection) and _read_number(url, _TRANSACTIONS) > before, 30)
            assert _read_number(url, _UPLOADS) == uploads
            assert _read_number(url, "litestream_sync_error_count") == 0


def _write(connection: sqlite3.Connection) -> bool:
    connection.execute("INSERT INTO rows VALUES (1)")
    connection.commit()
    return True


@contextmanager
def _run_litestream(folder: Path, target: dict[str, Any]) -> Iterator[str]:
    """Run Litestream with a database; gives the address of its metrics."""
    address = f"{LOOPBACK}:{pick_free()}"
    (folder / "litestream.yml").write_text(yaml.safe_dump({"addr": address, "dbs": [target]}))
    command = [str(Path(sys.executable).with_name("litestream")), "replicate"]
    env = inherit_environment()
    env.pop("AWS_CA_BUNDLE", None)  # Litestream 0.5.17 can't read it for a bucket.
    process = Process(
        "Litestream",
        [*command, f"-config={folder / 'litestream.yml'}"],
        log=folder / "litestream.log",
        env=env,
        health_url=f"http://{address}/metrics",
        cwd=folder,
    )
    process.start()
    try:
        process.wait_healthy()
        yield process.health_url
    finally:
        process.kill()


def _read_complete(url: str) -> str:
    """Return the metrics once the database has all that expressions read, "" before."""
    text = httpx.get(url, trust_env=False).text
    names = {selector.metric for selector in read_selectors("litestream_")}
    return text if all(f"\n{name}{{" in text for name in names) else ""


def _read_number(url: str, name: str) -> float:
    text = httpx.get(url, trust_env=False).text
    [sample] = [
        each
        for family in text_string_to_metric_families(text)
        for each in family.samples
        if each.name in (name, f"{name}_total") and each.labels.get("operation", "PUT") == "PUT"
    ]
    return sample.value


@needs_promtool
def test_prometheus_accepts_its_configuration(tmp_path: Path) -> None:
    """promtool reads the configuration with the rules, at the paths of the container."""
    for name in ("prometheus.yml", "alerts.yml"):
        text = (MONITORING / name).read_text().replace("/etc/prometheus", str(tmp_path))
        (tmp_path / name).write_text(text.replace("/run/secrets", str(tmp_path)))
    (tmp_path / "gateway_metrics_token").write_text(_TOKEN)
    command = ["promtool", "check", "config", tmp_path / "prometheus.yml"]
    subprocess.run(command, check=True, timeout=60)


@pytest.mark.skipif(not _PROMETHEUS, reason="prometheus is not installed (Debian: prometheus)")
def test_prometheus_scrapes_a_gateway_with_its_token(
    start_gateway: Callable[..., GatewayProcess], tmp_path: Path
) -> None:
    """Prometheus itself gets the metrics by the configured job, and evaluates every expression."""
    gateway = start_gateway(GATEWAY_METRICS_TOKEN=_TOKEN)
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    [job] = [each for each in config["scrape_configs"] if each["job_name"] == "gateway"]
    del job["dns_sd_configs"]
    job["static_configs"] = [{"targets": [gateway.url.removeprefix("http://")]}]
    job["authorization"] = {"credentials_file": str(tmp_path / "token")}
    (tmp_path / "token").write_text(_TOKEN)
    interval = {"scrape_interval": "1s"}
    (tmp_path / "prometheus.yml").write_text(
        yaml.safe_dump({"global": interval, "scrape_configs": [job]})
    )
    address = f"{LOOPBACK}:{pick_free()}"
    process = Process(
        "Prometheus",
        [
            str(_PROMETHEUS),
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address={address}",
        ],
        log=tmp_path / "prometheus.log",
        env=inherit_environment(),
        health_url=f"http://{address}/-/ready",
        cwd=tmp_path,
    )
    process.start()
    try:
        process.wait_healthy()

        def query(text: str) -> list[Any]:
            text = text.replace("$__rate_interval", "5m")
            url = f"http://{address}/api/v1/query"
            answer = httpx.get(url, params={"query": text}, trust_env=False, timeout=30).json()
            assert answer["status"] == "success", answer
            found: list[Any] = answer["data"]["result"]
            return found

        wait_until(lambda: query('gateway_ready{job="gateway"} == 1'), 60)
        for expression in read_expressions():
            query(expression.text)
    finally:
        process.stop()
