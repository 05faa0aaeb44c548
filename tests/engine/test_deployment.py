"""One deployment from the set-up to a restore; no event is lost on the way."""

import json
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.deadline import wait_until
from tests.engine.deployment import DOMAIN, STRIPE_KEY, Deployment
from tests.engine.load import Load


def test_a_dry_run_needs_no_services(deployment: Deployment) -> None:
    """On a new machine, it shows the set-up of `.env` and Stripe, and changes neither."""
    before = deployment.env_file.read_text()
    assert "would change  Stripe: a webhook endpoint" in deployment.init("--dry-run")
    assert deployment.env_file.read_text() == before
    assert deployment.list_endpoints() == []


def test_the_first_start(deployment: Deployment) -> None:
    """docker/init starts every service, with secrets from files that others can't read."""
    print(deployment.init())
    deployment.up()
    for service in ("caddy", "pocketbase", "gateway", "simulator"):
        [container] = deployment.find(service)
        wait_until(lambda c=container: _read_health(deployment, c) == "healthy", 30)  # type: ignore[misc]
        configuration = deployment.inspect(container, "{{.Config.Env}}")
        for secret in (STRIPE_KEY, deployment.webhook_secret, deployment.password):
            assert secret not in configuration
    assert deployment.checkout.joinpath("secrets").stat().st_mode & 0o077 == 0


def _read_health(deployment: Deployment, container: str) -> str:
    return deployment.inspect(container, "{{.State.Health.Status}}")


def test_a_second_set_up_changes_nothing(deployment: Deployment) -> None:
    """Settings, secrets, containers and the webhook endpoint stay, and no step reports a change."""
    before = _read_state(deployment)
    assert not re.search(r"^changed ", deployment.init(), re.MULTILINE)
    assert _read_state(deployment) == before


def _read_state(deployment: Deployment) -> tuple[dict[str, str], set[str], list[Any]]:
    files = (deployment.env_file, *deployment.checkout.glob("secrets/*"))
    containers = set(deployment.run("docker", "ps", "-q", "--no-trunc").split())
    return {file.name: file.read_text() for file in files}, containers, deployment.list_endpoints()


def test_doctor_finds_the_set_up_complete(deployment: Deployment) -> None:
    """No check fails but the one of the free space: the disk of these tests is small."""
    [gateway] = deployment.find("gateway")
    command = ("docker", "exec", gateway, "python", "-m", "gateway", "doctor", "--json")
    checks = json.loads(deployment.run(*command, check=False))["checks"]
    failed = {row["id"]: row["found"] for row in checks if row["status"] == "failed"}
    failed.pop("storage.disk", None)
    assert failed == {}
    done = {row["id"] for row in checks if row["status"] == "ok"}
    assert done >= {f"webhooks.{each}" for each in ("endpoint", "types", "version", "secret")}
    assert done >= {"stripe.key", "pocketbase.rate_limits", "pocketbase.application_url"}


def test_a_gateway_starts_within_two_seconds(deployment: Deployment) -> None:
    """From the start of the container to the first request."""
    [container] = deployment.find("gateway")
    deployment.run("docker", "restart", container)
    started = datetime.fromisoformat(
        deployment.inspect(container, "{{.State.StartedAt}}")[:26] + "Z"
    )
    serving = wait_until(lambda: _find_start(deployment, container, started), 20)
    print(f"gateway start: {(serving - started).total_seconds():.1f} s")
    # On a quiet machine; others may be busy.
    assert (serving - started).total_seconds() < 2 * max(1.0, os.getloadavg()[0] / 2)
    deployment.wait_ready()


def _find_start(deployment: Deployment, container: str, after: datetime) -> datetime | None:
    text = deployment.run("docker", "logs", container)
    times = re.findall(r'time=(\S+) .*msg="Uvicorn running', text)
    return next((t for t in map(datetime.fromisoformat, times) if t > after), None)


def test_a_purchase_over_tls(deployment: Deployment) -> None:
    """Sign-up, checkout, payment and the webhook, at one address."""
    email = f"me{time.time_ns()}@example.com"
    with deployment.open_client() as browser:
        account = {"email": email, "password": "correct-horse", "passwordConfirm": "correct-horse"}
        browser.post("/api/collections/users/records", json=account).raise_for_status()
        credentials = {"identity": email, "password": "correct-horse"}
        login = browser.post("/api/collections/users/auth-with-password", json=credentials)
        headers = {"Authorization": login.raise_for_status().json()["token"]}
        order = {
            "items": [{"price": "pro_monthly"}],
            "success_url": f"https://{DOMAIN}/",
            "cancel_url": f"https://{DOMAIN}/",
        }
        bearer = {"Authorization": f"Bearer {headers['Authorization']}"}
        session = browser.post("/checkout", json=order, headers=bearer).raise_for_status().json()
        httpx.post(session["url"], data={"outcome": "pay"})

        def is_active() -> bool:
            found = browser.get("/api/collections/subscriptions/records", headers=headers)
            return [row["status"] for row in found.json()["items"]] == ["active"]

        wait_until(is_active, 20)
        assert browser.get("/").headers["strict-transport-security"]
        assert browser.get("/_/").status_code == 404
    plain = httpx.get("http://127.0.0.1/", headers={"Host": DOMAIN})
    assert plain.headers["location"] == f"https://{DOMAIN}/"


def test_visitors_have_their_own_limits(deployment: Deployment) -> None:
    """250 visitors are counted by their own addresses behind Docker's network and Caddy."""
    addresses = [f"10.77.0.{number}" for number in range(1, 251)]
    for address in addresses:
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)

    def visit(address: str, times: int = 2) -> list[int]:
        with deployment.open_client(address) as browser:
            return [browser.post("/checkout").status_code for _ in range(times)]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(visit, addresses)) == [[401, 401]] * 250
    assert 429 in visit(addresses[0], 40)


@pytest.mark.parametrize("service", ["caddy", "pocketbase", "gateway", "simulator"])
def test_a_kill_loses_nothing(deployment: Deployment, service: str) -> None:
    """A service is killed during a burst of events, and comes back by itself."""

    def burst() -> None:
        try:
            deployment.renew(40)
        except httpx.HTTPError:
            assert service == "simulator"

    bursting = Thread(target=burst)
    bursting.start()
    time.sleep(0.5)  # In the middle.
    deployment.kill(service)
    bursting.join()
    deployment.wait_ready()
    assert deployment.find_lost() == set()


def test_a_release_fails_no_request(deployment: Deployment) -> None:
    """Two gateways are replaced one after the other under load."""
    deployment.up("--scale", "gateway=2")
    former = set(deployment.find("gateway"))
    assert len(former) == 2
    # The changes of a new release.
    with (deployment.checkout / "gateway" / "version.py").open("a") as file:
        file.write("# changed\n")
    load = Load(deployment)
    with load.running():
        print(deployment.run("docker/release", "e2e-2"))
    replaced = set(deployment.find("gateway"))
    assert len(replaced) == 2
    assert not replaced & former
    for container in replaced:
        assert deployment.inspect(container, "{{.Config.Image}}").endswith(":e2e-2")
        version = '{{index .Config.Labels "org.opencontainers.image.version"}}'
        assert deployment.inspect(container, version) == "e2e-2"
    print(dict(load.counts))
    assert load.failures == {}
    assert deployment.find_lost() == set()


def test_prometheus_finds_every_replica(deployment: Deployment) -> None:
    """Docker's name server knows both gateways and the worker; each shows metrics for the token."""
    deployment.compose("up", "-d", "--no-build", "--no-deps", "worker")
    token = (deployment.checkout / "secrets" / "gateway_metrics_token").read_text()
    headers = {"Authorization": f"Bearer {token}"}
    found = {}
    for service, port, path in (
        ("gateway", 8000, "/metrics"),
        ("worker", 8000, "/metrics"),
        ("caddy", 8000, "/caddy-metrics"),
        ("backup", 9090, "/metrics"),
    ):
        addresses = deployment.resolve(service)
        found[service] = len(addresses)
        for address in addresses:
            url = f"http://{address}:{port}{path}"
            assert wait_until(lambda u=url: _read_metrics(u, headers), 60)  # type: ignore[misc]
    assert found == {"gateway": 2, "worker": 1, "caddy": 1, "backup": 1}
    assert _read_metrics(f"http://{deployment.resolve('gateway')[0]}:8000/metrics", {}) == ""


def _read_metrics(url: str, headers: dict[str, str]) -> str:
    try:
        answer = httpx.get(url, headers=headers, timeout=20)
    except httpx.HTTPError:
        return ""
    return answer.text if answer.status_code == 200 else ""


def test_an_upgrade_and_a_rollback_lose_nothing(deployment: Deployment) -> None:
    """All but Caddy, which has not changed, are replaced and replaced back; none is refused."""
    [caddy] = deployment.find("caddy")
    for command in (("docker/upgrade", "e2e-3"), ("docker/rollback",)):
        load = Load(deployment)
        with load.running():
            print(deployment.run(*command))
        print(dict(load.counts))
        # While PocketBase restarts, a delivery can get 503.
        assert all(status.isdigit() for _, status in load.failures)
        deployment.wait_ready()
        assert deployment.find_lost() == set()
    assert deployment.find("caddy") == [caddy]
    [worker] = deployment.find("worker")
    assert deployment.inspect(worker, "{{.Config.Image}}").endswith(":e2e-2")
    deployment.compose("rm", "--force", "--stop", "worker")
    [pocketbase] = deployment.find("pocketbase")
    assert not deployment.inspect(pocketbase, "{{.Config.Image}}").endswith(":e2e-3")
    for container in deployment.find("gateway"):
        assert deployment.inspect(container, "{{.Config.Image}}").endswith(":e2e-2")


def test_a_full_disk_loses_nothing(deployment: Deployment) -> None:
    """Deliveries fail while PocketBase can't write, /ready names it, and all arrive afterwards."""
    if not deployment.disk:
        pytest.skip("this machine has no loop devices")
    filler = deployment.disk / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(b"\0" * (1 << 16))
                file.flush()
        except OSError:
            pass
    # More than the write-ahead log holds without growing.
    bursting = Thread(target=deployment.renew, args=(80,))
    bursting.start()
    try:
        answer = wait_until(_find_unready, 60)
        assert "can't be written" in answer or "refuses to write" in answer
    finally:
        filler.unlink()
        bursting.join()
    deployment.wait_ready()
    assert deployment.find_lost() == set()


def _find_unready() -> str:
    answer = httpx.get("http://127.0.0.1:8000/ready", timeout=20)
    return "" if answer.status_code == 200 else answer.text


def test_a_reboot_loses_nothing(deployment: Deployment) -> None:
    """The engine stops with all containers and starts them again."""
    deployment.renew(10)
    deployment.restart_engine()
    deployment.wait_ready()
    assert deployment.find_lost() == set()


def test_a_backup_restores_an_empty_machine(deployment: Deployment) -> None:
    """Litestream's copy and Stripe's events give the same rows in a new volume."""
    deployment.renew(5)
    assert deployment.find_lost() == set()
    deployment.compose("stop", "pocketbase", "backup")
    deployment.compose("down")
    deployment.run("docker", "volume", "rm", "e2e_pocketbase_data")
    deployment.empty_disk()
    # Stripe is elsewhere.
    deployment.compose("up", "-d", "--no-build", "--no-deps", "simulator")
    print(deployment.run("docker/restore"))
    deployment.up()
    assert deployment.find_lost() == set()
    gateway = deployment.find("gateway")[0]
    command = ("python", "-m", "gateway", "reconcile", "--dry-run")
    differences = deployment.run("docker", "exec", gateway, *command)
    assert not re.findall(r"^(?:added|changed|deleted) ", differences, re.MULTILINE)


def test_a_wrong_setting_does_not_loop(deployment: Deployment) -> None:
    """The log ends with the sentence, and the container waits."""
    wrong = {"GATEWAY_RATE_LIMIT_USER": "many"}
    deployment.compose("up", "-d", "--no-build", "--no-deps", "gateway", **wrong)
    container = deployment.find("gateway")[0]
    wait_until(lambda: "GATEWAY_RATE_LIMIT_USER" in deployment.run("docker", "logs", container), 20)
    assert deployment.inspect(container, "{{.RestartCount}} {{.State.Status}}") == "0 running"
    assert "docker compose up -d" in deployment.run("docker", "logs", container)
    deployment.up()
