"""The compose deployment on an engine: its commands, addresses and Stripe's side."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from tests.deadline import wait_until

DOMAIN = "shop.localhost"
EMAIL = f"gateway@{DOMAIN}"
STRIPE_KEY = "sk_test_mine123"
PROFILES = ("--profile", "simulator", "--profile", "backup")
_SIMULATOR = "http://127.0.0.1:12111"
_ENV = """\
GATEWAY_RATE_LIMIT_ADDRESS=30/minute
PULL_POLICY=if_not_present
STRIPE_API_BASE=http://simulator:12111
COMPOSE_FILE=compose.yaml:e2e.yaml
"""
# The simulator has no webhook endpoint until docker/init registers one.
_STRIPE = """\
services:
  simulator:
    command: [python, -m, stripe_simulator, --host=0.0.0.0, --port=12111,
      --state=/data/simulator.json, --seed-catalogue, "--public-url=http://127.0.0.1:12111"]
  gateway:
    # As name servers answer; there is none here, and each question would take seconds.
    extra_hosts: ["shop.localhost:127.0.0.1"]
"""
_DISK = """\
volumes:
  pocketbase_data:
    driver_opts: {{ type: none, o: bind, device: {folder} }}
"""


class Deployment:
    """A checkout whose services run on the engine of docker/e2e."""

    def __init__(self, checkout: Path, run: Path, disk: Path | None) -> None:
        self.checkout, self._run, self.disk = checkout, run, disk
        services = _STRIPE
        if disk:
            services += _DISK.format(folder=disk / "data")
            self.empty_disk()
        (checkout / "e2e.yaml").write_text(services)
        self.env_file.write_text(_ENV)

    @property
    def env_file(self) -> Path:
        """The settings; docker/init adds to them."""
        return self.checkout / ".env"

    def start_stripe(self) -> None:
        """Start the simulator alone, with values for what compose requires of other services."""
        names = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "GATEWAY_FRONTEND_ORIGINS")
        names += ("POCKETBASE_SUPERUSER_EMAIL", "POCKETBASE_SUPERUSER_PASSWORD")
        missing = dict.fromkeys(names, "missing")
        self.compose("up", "-d", "--no-build", "--no-deps", "simulator", **missing)
        wait_until(_is_stripe_up, 60)

    def init(self, *flags: str) -> str:
        """Run docker/init without a terminal."""
        return self.run(
            "docker/init",
            f"--domain={DOMAIN}",
            "--webhook-url=http://caddy:8000/webhooks/stripe",
            "--admin-email=ann@example.com",
            # A restored mirror has the rows of stripe_objects, too.
            "--all-events",
            *flags,
            INIT_ADMIN_PASSWORD="correct-horse",
            STRIPE_SECRET_KEY=STRIPE_KEY,
        )

    def run(self, *command: str, check: bool = True, **env: str) -> str:
        """Run a command in the checkout and return its output."""
        done = subprocess.run(
            command,
            cwd=self.checkout,
            env=os.environ | env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def compose(self, *arguments: str, **env: str) -> str:
        """Run docker-compose."""
        return self.run("docker-compose", *PROFILES, *arguments, **env)

    def up(self, *arguments: str) -> None:
        """Start the services and wait until a purchase can be made."""
        self.compose("up", "-d", "--no-build", *arguments)
        self.wait_ready()

    def find(self, service: str) -> list[str]:
        """Return the ids of a service's containers."""
        return self.run("docker-compose", *PROFILES, "ps", "-q", service).split()

    def resolve(self, service: str) -> list[str]:
        """Return the addresses that Docker's name server gives a container for a service."""
        code = "import socket, sys; print(*socket.gethostbyname_ex(sys.argv[1])[2])"
        container = self.find("gateway")[0]
        return self.run("docker", "exec", container, "python", "-c", code, service).split()

    def inspect(self, container: str, field: str) -> str:
        """Return one field of a container."""
        return self.run("docker", "inspect", "--format", field, container).strip()

    def kill(self, service: str) -> None:
        """Kill a service's process, which Docker restarts."""
        for container in self.find(service):
            os.kill(int(self.inspect(container, "{{.State.Pid}}")), signal.SIGKILL)

    def restart_engine(self) -> None:
        """Stop the engine with its containers, and start it again, as a reboot does."""
        pid_file = self._run / "docker.pid"
        os.kill(int(pid_file.read_text()), signal.SIGTERM)
        wait_until(lambda: not pid_file.exists(), 90)
        # Not a child of the tests: docker/e2e stops it, by its pid file.
        command = ["setsid", "--fork", "dockerd", "--config-file", str(self._run / "run.json")]
        with (self._run / "run.log").open("ab") as log:
            subprocess.run(command, stdout=log, stderr=log, check=True)
        wait_until(lambda: "Version" in self.run("docker", "version", check=False), 60)

    def empty_disk(self) -> None:
        """Make PocketBase's folder on the small disk, without content."""
        if self.disk:
            folder = self.disk / "data"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            os.chown(folder, 10001, 0)

    @cached_property
    def authority(self) -> str:
        """The certificate of Caddy's own authority."""
        path = "/data/caddy/pki/authorities/local/root.crt"
        return self.compose("exec", "-T", "caddy", "cat", path)

    @contextmanager
    def open_client(self, address: str = "127.0.0.1") -> Iterator[httpx.Client]:
        """Provide a browser: a client of the domain over TLS."""

        def use_domain(request: httpx.Request) -> None:
            request.extensions = {**request.extensions, "sni_hostname": DOMAIN}
            request.headers["Host"] = DOMAIN

        context = ssl.create_default_context(cadata=self.authority)
        transport = httpx.HTTPTransport(verify=context, local_address=address)
        # Docker hides the address of connections to 127.0.0.1.
        host = "127.0.0.1" if address == "127.0.0.1" else "172.31.251.1"
        with httpx.Client(
            base_url=f"https://{host}",
            transport=transport,
            timeout=40,
            event_hooks={"request": [use_domain]},
        ) as client:
            yield client

    def wait_ready(self) -> None:
        """Wait until Caddy, a gateway, PocketBase and the simulator work together."""

        def is_ready() -> bool:
            try:
                ready = httpx.get("http://127.0.0.1:8000/ready").status_code == 200
            except httpx.HTTPError:
                return False
            return ready and _is_stripe_up() and _has_certificate()

        wait_until(is_ready, 90)

    def renew(self, times: int) -> None:
        """Renew a subscription at Stripe; each renewal sends several events."""
        [found] = self._ask_stripe("/v1/subscriptions?limit=1")["data"]
        for _ in range(times):
            httpx.post(
                f"{_SIMULATOR}/_simulator/subscriptions/{found['id']}/renew", json={}, timeout=60
            ).raise_for_status()

    def list_events(self) -> list[dict[str, Any]]:
        """Return every event of the account, newest first."""
        found: list[dict[str, Any]] = []
        while True:
            after = f"&starting_after={found[-1]['id']}" if found else ""
            page = self._ask_stripe(f"/v1/events?limit=100{after}")
            found += page["data"]
            if not page["has_more"]:
                return found

    def find_lost(self) -> set[str]:
        """Wait until Stripe has delivered everything; return sent events without a row."""

        def is_idle() -> bool:
            path = "/_simulator/deliveries?wait=10&limit=1"
            return bool(httpx.get(_SIMULATOR + path, timeout=60).json()["idle"])

        wait_until(is_idle, 120)
        [endpoint] = self.list_endpoints()
        sent = {
            event["id"] for event in self.list_events() if event["created"] >= endpoint["created"]
        }
        return sent - self._list_stored()

    def list_endpoints(self) -> list[dict[str, Any]]:
        """Return the account's webhook endpoints."""
        return list(self._ask_stripe("/v1/webhook_endpoints")["data"])

    def _list_stored(self) -> set[str]:
        with httpx.Client(base_url="http://127.0.0.1:8090", timeout=60) as client:
            credentials = {"identity": EMAIL, "password": self.password}
            path = "/api/collections/_superusers/auth-with-password"
            token = client.post(path, json=credentials).raise_for_status().json()["token"]
            stored: set[str] = set()
            for page in range(1, 100):
                query = f"perPage=500&skipTotal=1&fields=stripe_id&page={page}"
                found = client.get(
                    f"/api/collections/stripe_events/records?{query}",
                    headers={"Authorization": token},
                ).json()["items"]
                stored |= {row["stripe_id"] for row in found}
                if len(found) < 500:
                    break
            return stored

    def read_secret(self, name: str) -> str:
        """Return a secret of docker/secrets, named as its file."""
        return (self.checkout / "secrets" / name).read_text()

    @property
    def password(self) -> str:
        """The password of the gateway's superuser, which docker/init generated."""
        return self.read_secret("pocketbase_superuser_password")

    @property
    def webhook_secret(self) -> str:
        """The signing secret of the endpoint that docker/init registered."""
        return self.read_secret("stripe_webhook_secrets")

    def _ask_stripe(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {STRIPE_KEY}"}
        return httpx.get(_SIMULATOR + path, headers=headers, timeout=60).raise_for_status().json()


def _has_certificate() -> bool:
    """Whether Caddy has issued the domain's certificate, some time after its start."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", 443), 10) as plain,
            context.wrap_socket(plain, server_hostname=DOMAIN),
        ):
            return True
    except OSError:
        return False


def _is_stripe_up() -> bool:
    try:
        return httpx.get(f"{_SIMULATOR}/").status_code == 200
    except httpx.HTTPError:
        return False
