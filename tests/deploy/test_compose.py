"""compose.yaml and the Dockerfiles: what they promise about safety, and that compose takes them."""

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.dev.pocketbase import ROOT

_COMPOSE = ROOT / "compose.yaml"
_PROFILES = {
    "simulator": "simulator",
    "backup": "backup",
    "mail": "mail",
    "prometheus": "metrics",
    "grafana": "metrics",
    "node-exporter": "metrics",
    "postgres": "postgres",
    "worker": "postgres",
}
_SERVICES = ("caddy", "pocketbase", "gateway", *_PROFILES)
#: Images of others.
_PUBLIC = ("prometheus", "grafana", "node-exporter", "postgres")
#: The variable of an image's tag; SERVICES_RELEASE for all others.
_TAGS = {"gateway": "RELEASE", "worker": "RELEASE", "caddy": "CADDY_RELEASE"}
#: Secrets that may be empty.
_OPTIONAL = (
    "GATEWAY_HOOK_SECRETS",
    "GATEWAY_METRICS_TOKEN",
    "GATEWAY_DATABASE_URL",
    "GATEWAY_SMTP_URL",
    "LITESTREAM_ACCESS_KEY_ID",
    "LITESTREAM_SECRET_ACCESS_KEY",
)
_SECRET = re.compile("PASSWORD|SECRET|KEY|TOKEN|DATABASE_URL|SMTP_URL")
_DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
_SETTINGS = {
    "POCKETBASE_SUPERUSER_EMAIL": "me@example.com",
    "POCKETBASE_SUPERUSER_PASSWORD": "a-password-of-mine",
    "STRIPE_SECRET_KEY": "sk_test_mine",
    "STRIPE_WEBHOOK_SECRETS": "whsec_mine",
    "GATEWAY_FRONTEND_ORIGINS": "https://app.example.com",
}
_ALL_PROFILES = [part for name in sorted(set(_PROFILES.values())) for part in ("--profile", name)]
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
    assert service["tmpfs"][0] == "/tmp:size=64m"  # noqa: S108 - the container's own
    assert all(":size=" in mount for mount in service["tmpfs"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    # An engine refuses a limit above its number of CPUs.
    assert service["cpus"] <= 1
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert service["pids_limit"]
    assert service["restart"] == "unless-stopped"
    assert "privileged" not in service


@pytest.mark.parametrize("name", _SERVICES)
def test_ports_are_bound_to_loopback(compose: Any, name: str) -> None:
    """By default nothing is reachable from another machine."""
    for port in compose["services"][name].get("ports", []):
        assert re.match(r"(\$\{\w+:-)?127\.0\.0\.1:", port), port


def test_optional_services_have_profiles(compose: Any) -> None:
    """Only what every installation needs starts without a profile."""
    profiles = {
        name: service["profiles"]
        for name, service in compose["services"].items()
        if "profiles" in service
    }
    assert profiles == {name: [profile] for name, profile in _PROFILES.items()}


def test_replicas_do_not_compete(compose: Any) -> None:
    """The gateway has no port of the host and no fixed name, so that it can be scaled."""
    assert compose["services"]["gateway"]["ports"] == []
    assert "container_name" not in compose["services"]["gateway"]


def test_images_carry_the_release(compose: Any) -> None:
    """A new release has new tags, and `up` builds them; images without a release do not exist."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name, service in compose["services"].items():
        if name in _PUBLIC:
            continue
        variable = _TAGS.get(name, "SERVICES_RELEASE")
        image = "gateway" if name == "worker" else name
        assert service["image"] == f"pocketbase-gateway/{image}:${{{variable}:-{version}}}"
        assert service["build"]["args"]["RELEASE"] == f"${{{variable}:-{version}}}"
        assert service["pull_policy"] == "${PULL_POLICY:-build}"


@pytest.mark.parametrize("name", _PUBLIC)
def test_images_of_others_are_pinned(compose: Any, name: str) -> None:
    """Their tags name a version, and the digest its content; each has a cheap health check."""
    service = compose["services"][name]
    assert re.fullmatch(
        r"\$\{[A-Z_]+_IMAGE:-[\w./-]+:v?[\d.]+(-\w+)?@sha256:[0-9a-f]{64}\}", service["image"]
    )
    assert service["healthcheck"]["test"][1] in ("/bin/promtool", "wget", "pg_isready")


def test_the_proxy_is_trusted(compose: Any) -> None:
    """The gateway and PocketBase count requests by the address that Caddy names."""
    [network] = compose["networks"]["default"]["ipam"]["config"]
    environment = compose["services"]["gateway"]["environment"]
    assert environment["GATEWAY_TRUSTED_PROXIES"].startswith(network["subnet"] + ",")
    pocketbase = compose["services"]["pocketbase"]["environment"]
    assert pocketbase["POCKETBASE_TRUSTED_PROXY_HEADERS"] == "X-Forwarded-For"


def test_data_is_kept_in_named_volumes(compose: Any) -> None:
    """Persistent data outlives its container, in a volume of compose."""
    mounts = {
        re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", mount).split(":")[0]
        for name in _SERVICES
        for mount in compose["services"][name].get("volumes", [])
    }
    configuration = {mount for mount in mounts if mount.startswith("./docker/")}
    assert mounts - configuration == set(compose["volumes"])


def test_configuration_is_mounted_read_only(compose: Any) -> None:
    """Files of the checkout exist, and no service can change them."""
    for name in _SERVICES:
        for mount in compose["services"][name].get("volumes", []):
            source, *rest = mount.split(":")
            if source.startswith("./"):
                assert (ROOT / source).exists(), mount
                assert rest[-1] == "ro", mount


def test_the_project_is_mounted_read_only(compose: Any) -> None:
    """One folder holds what a team adds, for all three services."""
    for name in ("caddy", "pocketbase", "gateway"):
        mounts = compose["services"][name]["volumes"]
        assert "${PROJECT_FOLDER:-./docker/project}:/project:ro" in mounts


def test_no_secret_has_a_default(compose: Any) -> None:
    """A secret that is not set stops compose with a sentence, or is empty where it may be."""
    for service in compose["services"].values():
        for variable, value in service["environment"].items():
            if variable.endswith(("_FILE", "__FILE")):
                assert value.startswith("/run/secrets/")
            elif _SECRET.search(variable):
                pattern = r"\$\{\w+:\?[^}]+\}"
                if variable in _OPTIONAL:
                    pattern = r"\$\{\w+:-\}"
                assert re.fullmatch(pattern, value), variable


def test_only_the_gateway_knows_the_stripe_key(compose: Any) -> None:
    """Neither PocketBase nor the simulator is given the Stripe key; workers are gateways."""
    knowing = [
        name
        for name, service in compose["services"].items()
        if "STRIPE_SECRET_KEY" in str(service["environment"])
    ]
    assert knowing == ["gateway", "worker"]


@pytest.mark.parametrize("path", _DOCKERFILES, ids=lambda path: path.name)
def test_an_image_is_locked_and_unprivileged(path: Path) -> None:
    """An image runs as a numbered user, is checked for health, and installs by hash alone."""
    text = path.read_text()
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    [check] = re.findall(r"^HEALTHCHECK .*CMD (.*)$", text, re.MULTILINE)
    assert "python" not in check, "starting Python takes half a second of CPU time"
    assert "--require-hashes" in text
    assert re.search(r"^ARG PYTHON_IMAGE=python:[\w.-]+@sha256:[0-9a-f]{64}$", text, re.MULTILINE)
    assert "org.opencontainers.image.version=$RELEASE" in text
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
    folder: Path, *arguments: str, files: Sequence[str | Path] = (), **settings: str
) -> subprocess.CompletedProcess[str]:
    assert _COMMAND is not None
    # Not the developer's own .env.
    empty = folder / "empty.env"
    empty.touch()
    return subprocess.run(
        [_COMMAND, "--file", _COMPOSE, *files, "--env-file", empty, *arguments],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(_COMMAND is None, reason="docker-compose is not installed")
def test_compose_takes_the_file(tmp_path: Path) -> None:
    """docker-compose accepts the file, with every profile."""
    done = _ask_compose(tmp_path, *_ALL_PROFILES, "config", **_SETTINGS)
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


@pytest.mark.skipif(_COMMAND is None, reason="docker-compose is not installed")
def test_secrets_come_from_files(tmp_path: Path) -> None:
    """With the overlay no container has a secret in its configuration."""
    overlay = ROOT / "docker" / "compose.secrets.yaml"
    files = ["--file", overlay]
    done = _ask_compose(tmp_path, *_ALL_PROFILES, "config", files=files, **_SETTINGS)
    assert done.returncode == 0, done.stderr
    document = yaml.safe_load(done.stdout)
    for service in document["services"].values():
        mounted = {each["source"] for each in service.get("secrets", [])}
        assert mounted <= set(document["secrets"])
        for name, value in (service.get("environment") or {}).items():
            if name.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in mounted
            elif _SECRET.search(name) and name != "LITESTREAM_ACCESS_KEY_ID":
                assert not value, name
                assert name.lower().replace("simulator_webhook_secret", "webhook_secrets") in (
                    mounted
                )


def test_the_script_writes_every_secret(compose: Any) -> None:
    """Each file that compose mounts is one that docker/secrets makes."""
    overlay = yaml.safe_load((ROOT / "docker" / "compose.secrets.yaml").read_text())
    text = (ROOT / "docker" / "secrets").read_text()
    for name in {**compose["secrets"], **overlay["secrets"]}:
        assert name.upper() in text.split("overlay=")[0], name


@pytest.mark.skipif(_COMMAND is None, reason="docker-compose is not installed")
def test_the_example_builds_from_its_own_folder(tmp_path: Path) -> None:
    """Its Dockerfile, merged into the repository's services, exists."""
    example = ROOT / "examples" / "compose.yaml"
    done = _ask_compose(tmp_path, "config", files=["--file", example], **_SETTINGS)
    assert done.returncode == 0, done.stderr
    for service in yaml.safe_load(done.stdout)["services"].values():
        if "build" not in service:
            continue
        build = service["build"]
        assert (Path(build["context"]) / build["dockerfile"]).is_file()
