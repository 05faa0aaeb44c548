"""PocketBase's settings, hooks, files and backups that `gateway doctor` names."""

import os
import shutil
import sqlite3
import time
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from gateway.dev.pocketbase import ROOT
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.doctor.conftest import Doctor
from tests.migrate import migrate

LIVE = {"STRIPE_SECRET_KEY": "sk_live_0123456789abcdefghijklmn"}


@asynccontextmanager
async def _settings(dashboard: Dashboard, **changes: Any) -> AsyncIterator[None]:
    """Change PocketBase's settings, and restore them."""
    before = await dashboard.call("GET", "/api/settings")
    await dashboard.call("PATCH", "/api/settings", changes)
    try:
        yield
    finally:
        await dashboard.call("PATCH", "/api/settings", {name: before[name] for name in changes})


async def test_long_tokens_are_named(doctor: Doctor, dashboard: Dashboard) -> None:
    """Tokens of superusers that are valid for a month are a warning."""
    path = "/api/collections/_superusers"
    await dashboard.call("PATCH", path, {"authToken": {"duration": 30 * 86_400}})
    try:
        report = await doctor("pocketbase.superusers")
    finally:
        await dashboard.call("PATCH", path, {"authToken": {"duration": 86_400}})
    report.assert_failed("pocketbase.superusers", "30 days", status="warning")


def _read_second_factor(email: str) -> str:
    """Return the migration of docs/guides/go-live.md with a superuser's address."""
    page = (ROOT / "docs" / "guides" / "go-live.md").read_text()
    text = page.partition("```js 1800000000_second_factor.js\n")[2].partition("```")[0]
    assert "gateway@shop.example.com" in text
    return text.replace("gateway@shop.example.com", email)


async def test_the_second_factor_of_the_guide(
    doctor: Doctor, dashboard: Dashboard, stack: Stack, tmp_path: Path
) -> None:
    """People need a second factor, the gateway does not; doctor names others without one."""
    part, command = stack.pocketbase, stack.pocketbase.command
    migrations = shutil.copytree(ROOT / "pb_migrations", tmp_path / "migrations")
    (migrations / "1800000000_second_factor.js").write_text(
        _read_second_factor(part.superuser_email)
    )
    records = "/api/collections/_superusers/records"
    ann = {"email": "ann@example.com", "password": "correct-horse"}
    made = await dashboard.call("POST", records, {**ann, "passwordConfirm": ann["password"]})
    try:
        part.command = tuple(
            f"--migrationsDir={migrations}" if each.startswith("--migrationsDir=") else each
            for each in command
        )
        part.restart()
        report = await doctor("pocketbase.superusers", "pocketbase.reachable", **LIVE)
        report.assert_ok("pocketbase.reachable")
        report.assert_ok("pocketbase.superusers")
        assert "MFA is on" in report.checks["pocketbase.superusers"]["found"]
        path = "/api/collections/_superusers/auth-with-password"
        body = {"identity": ann["email"], "password": ann["password"]}
        answer = await dashboard.frontend.http.post(path, json=body)
        assert (answer.status_code, [*answer.json()]) == (401, ["mfaId"])
        _set_rule(part.data_dir / "data.db", "email = 'nobody@example.com'")
        part.restart()
        report = await doctor("pocketbase.superusers")
        report.assert_failed("pocketbase.superusers", "2 superusers", status="warning")
    finally:
        part.stop()
        migrate(part, "down", "1")
        part.command = command
        part.start()
        part.wait_healthy()
        await dashboard.call("DELETE", f"{records}/{made['id']}")
    (await doctor("pocketbase.superusers", **LIVE)).assert_failed(
        "pocketbase.superusers", "without a second factor", status="warning"
    )


def _set_rule(database: Path, rule: str) -> None:
    """Change the MFA rule, which PocketBase's API refuses."""
    with closing(sqlite3.connect(database, timeout=30)) as shell, shell:
        shell.execute(
            "UPDATE _collections SET options = json_set(options, '$.mfa.rule', ?)"
            " WHERE name = '_superusers'",
            (rule,),
        )


async def test_live_mode_needs_more(doctor: Doctor) -> None:
    """In live mode, missing MFA, rate limits, mails and backups matter."""
    report = await doctor("pocketbase", "web.metrics", GATEWAY_METRICS_TOKEN="", **LIVE)
    for id in ("superusers", "rate_limits", "mail"):
        assert report.checks[f"pocketbase.{id}"]["status"] == "warning"
    assert report.checks["web.metrics"]["status"] == "warning"
    report.assert_failed("pocketbase.application_url", "no HTTPS")


async def test_rate_limits_must_spare_the_gateway(doctor: Doctor, dashboard: Dashboard) -> None:
    """With rate limits on, the gateway's address or its network has to be excluded."""
    rules = [{"label": "/api/", "audience": "", "duration": 10, "maxRequests": 10_000}]
    limits = {"enabled": True, "rules": rules, "excludedIPs": []}
    async with _settings(dashboard, rateLimits=limits):
        report = await doctor("pocketbase.rate_limits")
        report.assert_failed("pocketbase.rate_limits", "one visitor")
        for excluded in ("127.0.0.1", "127.0.0.0/8"):
            settings = {"rateLimits": limits | {"excludedIPs": ["172.31.251.0/24", excluded]}}
            await dashboard.call("PATCH", "/api/settings", settings)
            (await doctor("pocketbase.rate_limits")).assert_ok("pocketbase.rate_limits")
        everyone = {"rateLimits": limits | {"excludedIPs": ["0.0.0.0/0"]}}
        await dashboard.call("PATCH", "/api/settings", everyone)
        report = await doctor("pocketbase.rate_limits")
        report.assert_failed("pocketbase.rate_limits", "every address")


async def test_mails_need_a_server(doctor: Doctor) -> None:
    """Mails are turned on, and there is no mail server."""
    report = await doctor("pocketbase.mail", GATEWAY_EMAIL_NOTIFICATIONS="receipt")
    report.assert_failed("pocketbase.mail", "GATEWAY_EMAIL_NOTIFICATIONS")


async def test_a_default_sender_and_a_closed_log_are_named(
    doctor: Doctor, dashboard: Dashboard
) -> None:
    """Mails come from PocketBase's default address, and errors are not stored."""
    smtp = {"enabled": True, "host": "127.0.0.1", "port": pick_free()}
    async with _settings(dashboard, smtp=smtp, logs={"maxDays": 0}):
        report = await doctor("pocketbase.mail", "pocketbase.errors")
    report.assert_failed("pocketbase.mail", "default address", status="warning")
    report.assert_failed("pocketbase.errors", "does not store", status="warning")


async def test_logged_errors_are_shown(doctor: Doctor, dashboard: Dashboard, stack: Stack) -> None:
    """A mail that PocketBase could not send is an error of its log, without the address."""
    user = await dashboard.frontend.sign_up()
    smtp = {"enabled": True, "host": "127.0.0.1", "port": pick_free()}
    body = {"email": user.email}
    path = "/api/collections/users/request-password-reset"
    file = stack.pocketbase.data_dir / "auxiliary.db"
    async with _settings(dashboard, smtp=smtp):
        await dashboard.frontend.call("POST", path, body=body)

    async def is_logged() -> bool:
        # PocketBase writes its log every 200 lines, or after three seconds without a further one.
        for _ in range(50):
            await dashboard.frontend.call("GET", "/api/collections/prices/records", perPage=1)
        with closing(sqlite3.connect(file, timeout=30)) as shell:
            found = shell.execute("SELECT count(*) FROM _logs WHERE level >= 8").fetchone()
        return bool(found[0])

    await eventually(is_logged, 60)
    report = await doctor("pocketbase.errors")
    assert user.email not in report.text
    report.assert_failed("pocketbase.errors", "in 24 hours", status="warning")


async def test_a_locked_database_is_found(doctor: Doctor, stack: Stack) -> None:
    """Another process holds the lock for writes, which a sign-in needs too."""
    file = stack.pocketbase.data_dir / "data.db"
    with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        report = await doctor("pocketbase.reachable", "storage.disk")
        shell.execute("ROLLBACK")
    report.assert_failed("pocketbase.reachable", "lock")
    assert report.checks["storage.disk"]["status"] == "skipped"


async def test_a_refused_write_is_found(doctor: Doctor, stack: Stack) -> None:
    """PocketBase accepts the sign-in, but SQLite refuses the row of the probe."""
    file = stack.pocketbase.data_dir / "data.db"
    with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as shell:
        for verb in ("INSERT", "UPDATE"):
            shell.execute(
                f"CREATE TRIGGER refuse_{verb} BEFORE {verb} ON gateway_write_probe"
                " BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
            )
        try:
            report = await doctor("pocketbase.writable")
        finally:
            for verb in ("INSERT", "UPDATE"):
                shell.execute(f"DROP TRIGGER refuse_{verb}")
    report.assert_failed("pocketbase.writable", "disk I/O error")


@pytest.fixture
def restart(stack: Stack) -> Iterator[Callable[..., None]]:
    """Restart PocketBase with other hooks or variables; it gets its own back after the test."""
    command, env = stack.pocketbase.command, stack.pocketbase.env

    def restart_with(hooks: Path | None = None, **variables: str) -> None:
        stack.pocketbase.command = tuple(
            f"--hooksDir={hooks}" if hooks and part.startswith("--hooksDir=") else part
            for part in command
        )
        stack.pocketbase.env = env | variables
        stack.pocketbase.restart()

    yield restart_with
    stack.pocketbase.command, stack.pocketbase.env = command, env
    stack.pocketbase.restart()


async def test_incomplete_hooks_are_named(
    doctor: Doctor, restart: Callable[..., None], tmp_path: Path
) -> None:
    """A missing file fails hooks.loaded and /ready; what needs hooks is skipped."""
    hooks = shutil.copytree(ROOT / "pb_hooks", tmp_path / "hooks")
    (hooks / "lib" / "teams" / "seats.js").unlink()
    restart(hooks)
    report = await doctor("hooks", "collections", "gateway")
    report.assert_failed("hooks.loaded", "lib/teams/seats.js")
    report.assert_failed("gateway.ready", "lib/teams/seats.js")
    assert report.checks["collections.rules"]["status"] == "skipped"


_TRANSFORMS = """
from gateway import Gateway
app = Gateway()


@app.transform("posts", on="create")
async def complete(record, context):
    return record
"""


async def test_a_file_of_other_hooks_and_missing_secrets_are_named(
    doctor: Doctor, restart: Callable[..., None], tmp_path: Path
) -> None:
    """One hook file was not copied with the others; an app with transforms has no secret."""
    hooks = shutil.copytree(ROOT / "pb_hooks", tmp_path / "hooks")
    with (hooks / "lib" / "teams" / "seats.js").open("a") as file:
        file.write("// An older release.\n")
    restart(hooks, GATEWAY_HOOK_SECRETS="")
    (tmp_path / "doctor_transforms.py").write_text(_TRANSFORMS)
    env = {"GATEWAY_HOOK_SECRETS": "", "GATEWAY_APP": "doctor_transforms:app"}
    report = await doctor("hooks", "secrets.hooks", **env)
    report.assert_failed("secrets.hooks", "GATEWAY_HOOK_SECRETS is not set")
    report.assert_ok("hooks.loaded")
    report.assert_failed("hooks.version", "lib/teams/seats.js")


async def test_other_hooks_clock_and_a_full_disk(
    doctor: Doctor, restart: Callable[..., None], tmp_path: Path
) -> None:
    """Hooks of another version, a clock five minutes behind, and a disk that is nearly full."""
    hooks = shutil.copytree(ROOT / "pb_hooks", tmp_path / "hooks")
    vocabulary = hooks / "lib" / "vocabulary.json"
    text = vocabulary.read_text()
    vocabulary.write_text(text.replace('"hooks_version": ', '"hooks_version": 9'))
    diagnosis = hooks / "lib" / "health" / "diagnosis.js"
    text = diagnosis.read_text()
    for real, other in (
        ("time: Date.now()", "time: Date.now() - 300000"),
        ("pocketbase: readBinaryVersion()", 'pocketbase: "0.30.1"'),
    ):
        assert real in text
        text = text.replace(real, other)
    diagnosis.write_text(text)
    df = tmp_path / "bin" / "df"
    df.parent.mkdir()
    df.write_text("#!/bin/sh\necho Filesystem\necho /dev/sda1 10000000 9990000 10000 99% /data\n")
    df.chmod(0o755)
    restart(hooks, PATH=f"{df.parent}:{os.environ['PATH']}")
    report = await doctor("hooks", "storage", "clocks.pocketbase", "versions.pocketbase")
    version = report.checks["versions.pocketbase"]
    assert version["status"] == "warning"
    assert version["found"].startswith("PocketBase 0.30.1 runs")
    report.assert_failed("hooks.version", "is required")
    report.assert_failed("clocks.pocketbase", "differs by 300 s from PocketBase's")
    report.assert_failed("storage.disk", "9.8 MB of 9.5 GB")


async def test_a_missing_migration_is_named(doctor: Doctor, stack: Stack) -> None:
    """A migration that PocketBase has not applied is named."""
    name = "1763856220_job_errors.js"
    with closing(sqlite3.connect(stack.pocketbase.data_dir / "data.db", timeout=30)) as shell:
        row = shell.execute("SELECT file, applied FROM _migrations WHERE file = ?", (name,))
        stored = row.fetchone()
        with shell:
            shell.execute("DELETE FROM _migrations WHERE file = ?", (name,))
        try:
            report = await doctor("collections.migrations")
        finally:
            with shell:
                shell.execute("INSERT INTO _migrations (file, applied) VALUES (?, ?)", stored)
    report.assert_failed("collections.migrations", name)


async def test_a_large_log_of_sqlite_is_found(doctor: Doctor, stack: Stack) -> None:
    """A reader that stays open lets the write-ahead log grow."""
    file = stack.pocketbase.data_dir / "auxiliary.db"
    with closing(sqlite3.connect(file, timeout=30)) as writer:
        writer.execute("CREATE TABLE junk (data BLOB)")
        writer.execute("INSERT INTO junk VALUES (zeroblob(70000000))")
        writer.commit()
        report = await doctor("storage.wal")
        writer.execute("DROP TABLE junk")
        writer.commit()
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    report.assert_failed("storage.wal", "MB", status="warning")


@pytest.fixture
def backups(stack: Stack) -> Iterator[Path]:
    """PocketBase's folder of backups, empty; it gets its files back after the test."""
    folder = stack.pocketbase.data_dir / "backups"
    aside = folder.with_name("backups-aside")
    if folder.exists():
        folder.rename(aside)
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)
    if aside.exists():
        aside.rename(folder)


async def test_a_missing_backup_is_found(doctor: Doctor, backups: Path) -> None:
    """Without a backup there is a warning, in live mode a failure."""
    report = await doctor("backups")
    report.assert_failed("backups.age", "no backup", status="warning")
    assert report.checks["backups.restore"]["status"] == "skipped"
    (await doctor("backups", **LIVE)).assert_failed("backups.age", "no backup")


def _store(file: Path, **members: bytes) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)


async def test_an_old_and_damaged_backup_is_found(doctor: Doctor, backups: Path) -> None:
    """The newest backup is two days, then ten days old, and has no intact database."""
    file = backups / "old.zip"
    _store(file, data_db=b"SQLite format 3\x00 but cut", auxiliary_db=b"")
    for days, status in ((2, "warning"), (10, "failed")):
        then = time.time() - days * 86_400
        os.utime(file, (then, then))
        report = await doctor("backups.age")
        report.assert_failed("backups.age", "old", status=status)
    (await doctor("backups.restore")).assert_failed("backups.restore", "data.db")
    _store(file, auxiliary_db=b"")
    (await doctor("backups.restore")).assert_failed("backups.restore", "lacks data.db")
    _store(file, data_db=b"", auxiliary_db=b"")
    report = await doctor("backups.restore")
    report.assert_failed("backups.restore", "data.db: it has no table _superusers")
    file.write_bytes(b"")
    (await doctor("backups.age")).assert_failed("backups.age", "is empty")
    file.write_bytes(b"no archive")
    (await doctor("backups.restore")).assert_failed("backups.restore", "archive is damaged")


async def test_a_large_backup_is_restored_on_request(doctor: Doctor, backups: Path) -> None:
    """A large backup is restored only with --restore."""
    with (backups / "large.zip").open("wb") as file:
        file.truncate(33 << 20)
    report = await doctor("backups.restore")
    assert "--restore" in report.checks["backups.restore"]["found"]
    report = await doctor("backups.restore", options=("--restore",))
    report.assert_failed("backups.restore", "damaged")
