"""Settings, secrets, versions and the app that `gateway doctor` names."""

import platform
import sys
from pathlib import Path

import pytest
import stripe

from tests.doctor.conftest import Doctor


async def test_a_misspelt_variable_is_named(doctor: Doctor) -> None:
    """A variable of the environment is named with the nearest setting; other checks run."""
    report = await doctor("settings", "pocketbase.reachable", GATEWAY_GEUST_CHECKOUT="yes")
    report.assert_failed("settings.unknown", "GATEWAY_GEUST_CHECKOUT", "GATEWAY_GUEST_CHECKOUT?")
    report.assert_ok("pocketbase.reachable")


async def test_misspelt_variables_of_the_file_are_named(doctor: Doctor, tmp_path: Path) -> None:
    """All variables of .env are compared, those of compose and without our prefix too."""
    lines = ("STRIPE_WEBHOOK_SECRET=whsec_1", "CADDY_CLOSED_PATH=/x", "HTTP_PORT=80", "OTHER=1")
    (tmp_path / ".env").write_text("\n".join(lines))
    report = await doctor("settings.unknown")
    report.assert_failed(
        "settings.unknown", "in .env: STRIPE_WEBHOOK_SECRET", "CADDY_CLOSED_PATHS?"
    )
    assert len(report.checks["settings.unknown"]["details"]) == 2


async def test_a_wrong_setting_is_named(doctor: Doctor) -> None:
    """A wrong setting is one row; checks that don't need it run."""
    report = await doctor("settings", "stripe.key", GATEWAY_RATE_LIMIT_USER="often")
    report.assert_failed("settings.valid", "GATEWAY_RATE_LIMIT_USER")


async def test_a_contradiction_is_named(doctor: Doctor) -> None:
    """A setting without effect is a warning."""
    report = await doctor("settings.consistent", GATEWAY_SMTP_URL="smtp://mail.test")
    report.assert_failed("settings.consistent", "GATEWAY_SMTP_URL", status="warning")


async def test_a_weak_secret_is_named(doctor: Doctor) -> None:
    """A short or well-known secret is named, not shown."""
    report = await doctor("secrets.strength", GATEWAY_METRICS_TOKEN="changeme-changeme")
    report.assert_failed("secrets.strength", "GATEWAY_METRICS_TOKEN")


async def test_readable_files_are_named(doctor: Doctor, tmp_path: Path) -> None:
    """A .env that other users can read is named, until its mode is corrected."""
    file = tmp_path / ".env"
    file.write_text("DOMAIN=shop.example.com\n")
    file.chmod(0o640)
    (await doctor("secrets.files")).assert_failed("secrets.files", ".env")
    file.chmod(0o600)
    (await doctor("secrets.files")).assert_ok("secrets.files")


async def test_other_hook_secrets_are_found(doctor: Doctor) -> None:
    """PocketBase and gateway must have the same hook secrets."""
    other = "whsec_MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXY="
    report = await doctor("secrets.hooks", GATEWAY_HOOK_SECRETS=other)
    report.assert_failed("secrets.hooks", "GATEWAY_HOOK_SECRETS")


async def test_other_packages_are_named(doctor: Doctor, tmp_path: Path) -> None:
    """Packages that differ from the lock file of the project are named."""
    (tmp_path / "requirements.lock").write_text("stripe==1.0.0 \\\n    --hash=sha256:0\n")
    report = await doctor("versions.packages")
    report.assert_failed("versions.packages", "1.0.0 is locked", status="warning")


async def test_other_programs_are_named(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another PocketBase binary is a warning, another SDK of Stripe and an old Python fail."""
    binary = tmp_path / "pocketbase"
    binary.write_text("#!/bin/sh\necho pocketbase version 0.30.1\n")
    binary.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(stripe, "VERSION", "11.0.0")
    monkeypatch.setattr(platform, "python_version", lambda: "3.10.14")
    report = await doctor("versions")
    assert report.code == 1
    assert report.checks["versions.pocketbase"]["found"].startswith("PocketBase 0.30.1")
    assert report.checks["versions.pocketbase"]["status"] == "warning"
    report.assert_failed("versions.stripe", "11.0.0")
    report.assert_failed("versions.python", "Python 3.10.14")


def _write_app(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.py").write_text(text)
    return f"{name}:app"


async def test_another_release_is_found(doctor: Doctor, tmp_path: Path) -> None:
    """The running gateway serves another version of the app than the one that is installed."""
    text = "from gateway import Gateway\napp = Gateway(version='9.9.9')\n"
    report = await doctor("versions", GATEWAY_APP=_write_app(tmp_path, "doctor_newer", text))
    report.assert_failed("versions.gateway", "9.9.9")


async def test_a_broken_app_is_named(doctor: Doctor, tmp_path: Path) -> None:
    """An app that can't be imported is named with file and line; other checks run."""
    app = _write_app(tmp_path, "doctor_broken", "1 / 0\n")
    report = await doctor("app", "hooks", GATEWAY_APP=app)
    report.assert_failed("app.loaded", "doctor_broken.py, line 1")
    report.assert_ok("hooks.loaded")


async def test_a_misfit_declaration_is_named(doctor: Doctor, tmp_path: Path) -> None:
    """A transform of a collection that does not exist is named with its place."""
    text = (
        "from gateway import Gateway\napp = Gateway()\n\n\n"
        "@app.transform('absent', on='create')\n"
        "async def complete(record, context):\n    return record\n"
    )
    report = await doctor("app", GATEWAY_APP=_write_app(tmp_path, "doctor_misfit", text))
    report.assert_failed("app.declarations", "absent", "doctor_misfit.py")
