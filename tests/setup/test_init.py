"""`gateway init` on a real PocketBase and the simulator."""

import stat
from typing import Any

import httpx
import pytest

from gateway.dev.ports import pick_free
from gateway.setup.event_types import PINNED_VERSION, handled_types
from tests.setup.conftest import (
    ADMIN,
    ADMIN_PASSWORD,
    DOMAIN,
    KEY,
    MAIL_PASSWORD,
    URL,
    Machine,
)
from tests.superuser import log_in_superuser

_ARGUMENTS = (f"--domain={DOMAIN}", f"--admin-email={ADMIN}", "--app-name=Shop")
_SECRETS = {"STRIPE_SECRET_KEY": KEY, "INIT_ADMIN_PASSWORD": ADMIN_PASSWORD}


async def _read_all(machine: Machine) -> tuple[Any, ...]:
    """Return everything that a run may change."""
    return (
        machine.env_file.read_text(),
        await machine.read_settings(),
        await machine.list_superusers(),
        await machine.list_rows("products"),
        machine.endpoints,
        machine.portals,
    )


async def test_a_machine_is_set_up_once(machine: Machine) -> None:
    """A dry run changes nothing, the first run everything that it printed, the second nothing."""
    machine.write_env("# mine", "GATEWAY_LOG_LEVEL=DEBUG")
    empty = await _read_all(machine)
    planned = await machine.init("--dry-run", *_ARGUMENTS, **_SECRETS)
    assert planned.code == 0
    assert ".env: DOMAIN=shop.example.com" in planned.out
    assert ".env: GATEWAY_FRONTEND_ORIGINS=https://shop.example.com" in planned.out
    assert ".env: GATEWAY_HOOK_SECRETS (generated)" in planned.out
    assert ".env: STRIPE_SECRET_KEY\n" in planned.out
    assert await _read_all(machine) == empty
    first = await machine.init(*_ARGUMENTS, **_SECRETS)
    assert first.code == 0
    assert {line[13:] for line in planned.changes} < {line[13:] for line in first.changes}
    await _expect_set_up(machine)
    before = await _read_all(machine)
    again = await machine.init(*_ARGUMENTS, **_SECRETS)
    assert (again.code, again.changes) == (0, [])
    assert "Nothing changed." in again.out
    assert await _read_all(machine) == before


async def _expect_set_up(machine: Machine) -> None:
    text = machine.env_file.read_text()
    assert "# mine\nGATEWAY_LOG_LEVEL=DEBUG\n" in text
    assert stat.S_IMODE(machine.env_file.stat().st_mode) == 0o600
    [endpoint] = machine.endpoints
    assert endpoint["url"] == URL
    assert endpoint["enabled_events"] == list(handled_types())
    assert endpoint["api_version"] == PINNED_VERSION
    assert machine.env["STRIPE_WEBHOOK_SECRETS"] == machine.secret_of(endpoint["id"])
    [portal] = machine.portals
    assert machine.env["GATEWAY_PORTAL_CONFIGURATIONS"] == portal["id"]
    assert all(feature["enabled"] for feature in portal["features"].values())
    assert await machine.list_superusers() == {machine.pocketbase.superuser_email, ADMIN}
    products = machine.stripe.simulator.world.all("product")
    assert len(await machine.list_rows("products")) == len(products)
    settings = await machine.read_settings()
    assert settings["meta"]["appURL"] == f"https://{DOMAIN}"
    assert settings["trustedProxy"]["headers"] == ["X-Forwarded-For"]
    assert settings["rateLimits"]["enabled"]
    assert "172.31.251.0/24" in settings["rateLimits"]["excludedIPs"]
    assert settings["batch"] | {"enabled": True, "maxRequests": 50} == settings["batch"]
    assert settings["backups"]["cron"] == "0 3 * * *"


async def test_mail_and_backups_are_set(machine: Machine) -> None:
    """Other settings stay; a bucket that can't be written is named."""
    machine.write_env(f"STRIPE_SECRET_KEY={KEY}")
    flags = {
        "smtp-host": "mail.example.com",
        "smtp-port": "465",
        "smtp-user": "shop",
        "mail-from": "Shop <hello@example.com>",
        "backup-bucket": "backups",
        "backup-region": "eu",
        "backup-endpoint": f"http://127.0.0.1:{pick_free()}",
        "backup-key": "key",
        "backup-cron": "0 4 * * *",
    }
    arguments = [f"--{name}={value}" for name, value in flags.items()]
    secrets = {"INIT_SMTP_PASSWORD": MAIL_PASSWORD, "INIT_BACKUP_SECRET": "bucket-secret"}
    ended = await machine.init(*arguments, **secrets)
    assert "PocketBase can't write to the bucket of its backups" in ended.out
    settings = await machine.read_settings()
    assert settings["smtp"]["host"] == "mail.example.com"
    assert settings["smtp"]["tls"]
    assert settings["meta"]["senderName"] == "Shop"
    assert settings["meta"]["senderAddress"] == "hello@example.com"
    assert settings["backups"]["s3"]["bucket"] == "backups"
    assert settings["backups"]["cron"] == "0 4 * * *"
    assert (await machine.init(*arguments, **secrets)).changes == []


async def test_pocketbase_may_be_down(machine: Machine) -> None:
    """The other steps are done; the same command continues."""
    machine.write_env(f"POCKETBASE_URL=http://127.0.0.1:{pick_free()}")
    ended = await machine.init(*_ARGUMENTS, **_SECRETS)
    assert ended.code == 1
    assert "failed        PocketBase" in ended.out
    assert len(machine.endpoints) == 1
    text = machine.env_file.read_text().splitlines()
    machine.env_file.write_text("\n".join(each for each in text if "POCKETBASE_URL" not in each))
    with machine.env_file.open("a") as file:
        file.write(f"\nPOCKETBASE_URL={machine.pocketbase.url}\n")
    assert (await machine.init(*_ARGUMENTS, **_SECRETS)).code == 0
    assert len(machine.endpoints) == 1


async def test_a_wrong_superuser_is_named(machine: Machine) -> None:
    """With the variables to correct."""
    machine.write_env("POCKETBASE_SUPERUSER_PASSWORD=wrong-password")
    ended = await machine.init(*_ARGUMENTS, **_SECRETS)
    assert ended.code == 1
    assert "check POCKETBASE_SUPERUSER_EMAIL and POCKETBASE_SUPERUSER_PASSWORD" in ended.out


async def test_a_second_factor_is_named(machine: Machine) -> None:
    """The gateway's superuser has none; the rule has to exempt it."""
    machine.write_env()
    headers = {"Authorization": log_in_superuser(machine.pocketbase)}
    path = f"{machine.pocketbase.url}/api/collections/_superusers"
    async with httpx.AsyncClient(headers=headers, trust_env=False) as dashboard:
        await _check_second_factor(machine, dashboard, path)


async def _check_second_factor(machine: Machine, dashboard: httpx.AsyncClient, path: str) -> None:
    for enabled in (True, False):
        body = {"mfa": {"enabled": enabled}, "otp": {"enabled": enabled}}
        (await dashboard.patch(path, json=body)).raise_for_status()
        ended = await machine.init(*_ARGUMENTS, **_SECRETS)
        assert ended.code == (1 if enabled else 0)
        assert ("exempt this superuser in the MFA rule" in ended.out) is enabled


async def test_a_weak_password_is_named(machine: Machine) -> None:
    """PocketBase's own reason is shown."""
    machine.write_env()
    variables = _SECRETS | {"INIT_ADMIN_PASSWORD": "short"}
    ended = await machine.init("--admin-email=bob@example.com", **variables)
    assert ended.code == 1
    assert "PocketBase refuses the superuser bob@example.com: password: " in ended.out


async def test_without_a_terminal_the_key_is_needed(machine: Machine) -> None:
    """Nothing is asked and nothing written."""
    machine.write_env()
    before = machine.env_file.read_text()
    ended = await machine.init(*_ARGUMENTS)
    assert ended.code == 1
    assert "STRIPE_SECRET_KEY is not set: give --stripe-key or the variable" in ended.err
    assert machine.env_file.read_text() == before


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("--stripe-key=pk_test_1", "is a publishable key"),
        ("--stripe-key=sk_test_a b", "is not a Stripe key"),
        ("--stripe-key=sk_live_", "is not a Stripe key"),
        ("--domain=https://shop.example.com", "without https://"),
        ("--domain=shop example", "without https://"),
        ("--frontend-origins=https://a.example.com'", "can't have a line break, '"),
        ("--backup-bucket=b", "--backup-bucket needs --backup-region"),
        ("--env-file=/none/.env", "Can't write /none/.env: No such file or directory."),
    ],
)
async def test_wrong_values_are_named(machine: Machine, argument: str, sentence: str) -> None:
    """Before anything is written or created."""
    machine.write_env()
    before = machine.env_file.read_text()
    ended = await machine.init(*_ARGUMENTS, argument, STRIPE_SECRET_KEY=KEY)
    assert ended.code == 1
    assert sentence in ended.err
    assert machine.env_file.read_text() == before
    assert machine.endpoints == []
