"""compose.yaml and the Dockerfiles: what they promise about safety, and that compose takes them."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.dev.pocketbase import ROOT

_COMPOSE = ROOT / "compose.yaml"
_SERVICES = ("pocketbase", "gateway", "simulator")
_DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
_SETTINGS = {
    "POCKETBASE_SUPERUSER_EMAIL": "me@example.com",
    "POCKETBASE_SUPERUSER_PASSWORD": "a-password-of-mine",
    "STRIPE_SECRET_KEY": "sk_test_mine",
    "STRIPE_WEBHOOK_SECRETS": "whsec_mine",
    "GATEWAY_FRONTEND_ORIGINS": "https://app.example.com",
}
_COMMAND = shutil.which("docker-compose")


@pytest.fixture(scope="module")
def compose() -> Any:
    """The parsed compose.yaml."""
    return yaml.safe_load(_COMPOSE.read_text())


@pytest.mark.parametrize("name", _SERVICES)
def test_every_service_is_confined(compose: Any, name: str) -> None:
    """A service has a read-only root, no capabilities, limits, and comes back after a crash."""
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - the container's own
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["restart"] == "unless-stopped"
    assert "privileged" not in service


@pytest.mark.parametrize("name", _SERVICES)
def test_ports_are_bound_to_loopback(compose: Any, name: str) -> None:
    """By default nothing is reachable from another machine."""
    assert all(port.startswith("127.0.0.1:") for port in compose["services"][name]["ports"])


def test_only_the_simulator_is_optional(compose: Any) -> None:
    """The simulator starts only when its profile is asked for."""
    with_profile = [name for name in _SERVICES if "profiles" in compose["services"][name]]
    assert with_profile == ["simulator"]


def test_data_is_kept_in_named_volumes(compose: Any) -> None:
    """What must last outlives its container, in a volume that compose manages."""
    used = {
        mount.split(":")[0]
        for name in _SERVICES
        for mount in compose["services"][name].get("volumes", [])
    }
    assert used == set(compose["volumes"])


def test_no_secret_has_a_default(compose: Any) -> None:
    """A secret that is not set stops compose with a sentence, or is empty where it may be."""
    for service in compose["services"].values():
        for variable, value in service["environment"].items():
            if re.search("PASSWORD|SECRET|KEY", variable):
                pattern = r"\$\{\w+:\?[^}]+\}"
                if variable == "GATEWAY_HOOK_SECRETS":
                    pattern = r"\$\{\w+:-\}"
                assert re.fullmatch(pattern, value), variable


def test_only_the_gateway_knows_the_stripe_key(compose: Any) -> None:
    """Neither PocketBase nor the simulator is given the Stripe key."""
    knowing = [
        name
        for name, service in compose["services"].items()
        if "STRIPE_SECRET_KEY" in str(service["environment"])
    ]
    assert knowing == ["gateway"]


@pytest.mark.parametrize("path", _DOCKERFILES, ids=lambda path: path.name)
def test_an_image_is_locked_and_unprivileged(path: Path) -> None:
    """An image runs as a numbered user, is checked for health, and installs by hash alone."""
    text = path.read_text()
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert "--require-hashes" in text
    assert "ARG PYTHON_IMAGE=" in text
    assert not re.search(r"^(ARG|ENV) .*(SECRET|PASSWORD|KEY)", text, re.MULTILINE)
    assert not re.search(r"^# syntax=|^ADD ", text, re.MULTILINE)


@pytest.mark.parametrize("path", _DOCKERFILES, ids=lambda path: path.name)
def test_what_an_image_copies_is_in_the_build_context(path: Path) -> None:
    """`.dockerignore` lets through exactly what the Dockerfiles copy, and it exists."""
    allowed = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if "!" in line
    ]
    for source in re.findall(r"^COPY (?!--from)(\S+) ", path.read_text(), re.MULTILINE):
        assert (ROOT / source).exists(), source
        assert any(Path(source).match(pattern) for pattern in allowed), source


def test_example_settings_name_everything_that_compose_reads() -> None:
    """`.env.example` explains every variable of compose.yaml."""
    explained = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    read = set(re.findall(r"\$\{(\w+)", _COMPOSE.read_text()))
    assert read <= explained


def _ask_compose(
    folder: Path, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    assert _COMMAND is not None
    # Not the developer's own .env.
    empty = folder / "empty.env"
    empty.touch()
    return subprocess.run(
        [_COMMAND, "--file", _COMPOSE, "--env-file", empty, *arguments],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(_COMMAND is None, reason="docker-compose is not installed")
def test_compose_takes_the_file(tmp_path: Path) -> None:
    """docker-compose accepts the file, with the simulator too."""
    done = _ask_compose(tmp_path, "--profile", "simulator", "config", **_SETTINGS)
    assert done.returncode == 0, done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) == set(_SERVICES)


@pytest.mark.skipif(_COMMAND is None, reason="docker-compose is not installed")
@pytest.mark.parametrize("missing", sorted(_SETTINGS))
def test_compose_names_a_missing_setting(tmp_path: Path, missing: str) -> None:
    """A setting that is not set is named before anything starts."""
    rest = {name: text for name, text in _SETTINGS.items() if name != missing}
    done = _ask_compose(tmp_path, "config", **rest)
    assert done.returncode != 0
    assert missing in done.stderr
