"""/ready names each fault and its correction without secrets; /health calls no other service."""

import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import ROOT, PocketBaseProcess
from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.deadline import wait_until
from tests.delivery import build_event, sign
from tests.frontend import Frontend
from tests.migrate import migrate
from tests.problem import read_problem

_HOOKS = ROOT / "pb_hooks"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A PocketBase to spoil, and its gateway; each test repairs what it breaks."""
    made = Stack(plan_throwaway(tmp_path_factory.mktemp("readiness")))
    try:
        made.pocketbase.copy_migrated()
        made.pocketbase.ensure_superuser()
        for part in (made.pocketbase, made.gateway):
            part.start()
            part.wait_healthy()
        made.gateway.wait_ready()
        yield made
    finally:
        made.stop()


@pytest.fixture
def restart(own: Stack) -> Iterator[Callable[..., None]]:
    """Restart PocketBase on other hooks or migrations; it gets its own back after the test."""
    right = own.pocketbase.command

    def restart_with(**folders: Path) -> None:
        own.pocketbase.command = tuple(
            next(
                (f"--{name}={path}" for name, path in folders.items() if f"--{name}=" in part), part
            )
            for part in right
        )
        own.pocketbase.restart()

    yield restart_with
    own.pocketbase.command = right
    own.pocketbase.restart()
    assert _ready(own).status_code == 200


def _ready(own: Stack) -> httpx.Response:
    return httpx.get(f"{own.gateway.url}/ready", trust_env=False)


def _assert_not_ready(own: Stack, *words: str) -> None:
    """Check that /ready says why, without a secret, and that the process lives all the same."""
    answer = _ready(own)
    detail = read_problem(answer, 503)["detail"]
    assert int(answer.headers["retry-after"]) > 0
    for word in words:
        assert word in detail
    for secret in (own.plan.superuser.password, own.plan.superuser.email, "Bearer", "eyJ"):
        assert secret not in answer.text
    assert httpx.get(f"{own.gateway.url}/health", trust_env=False).json() == {"status": "ok"}


def _deliver(own: Stack) -> httpx.Response:
    body = json.dumps(
        build_event("product.created", {"id": "prod_1", "object": "product"})
    ).encode()
    signature = sign(body, own.plan.stripe.webhook_secrets[0])
    return httpx.post(
        f"{own.gateway.url}/webhooks/stripe",
        content=body,
        headers={"Stripe-Signature": signature},
        trust_env=False,
    )


def test_all_is_well(stack: Stack) -> None:
    """With everything in its place both addresses answer 200."""
    for path, members in (("/health", set()), ("/ready", {"unresolved_events", "parked_work"})):
        answer = httpx.get(stack.gateway.url + path, trust_env=False)
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")
        assert set(answer.json()) == {"status", *members}


async def test_parked_work_is_shown_and_does_not_matter(stack: Stack, dashboard: Dashboard) -> None:
    """An item that needs a decision is counted; the gateway is ready all the same."""
    item = {"kind": "task", "handler": f"tests.ready_{uuid4().hex[:8]}", "status": "parked"}
    item["completed_at"] = "2099-01-01 00:00:00.000Z"  # Retention deletes older ones.
    await dashboard.call("POST", "/api/collections/gateway_work/records", item)
    answer = _ready(stack)
    assert answer.status_code == 200
    assert answer.json()["parked_work"] >= 1


def test_not_ready_without_pocketbase(own: Stack, restart: Callable[..., None]) -> None:
    """PocketBase is down: not ready, and the detail names PocketBase."""
    own.pocketbase.kill()
    _assert_not_ready(own, "PocketBase", "does not answer")


def test_not_ready_without_hooks(own: Stack, restart: Callable[..., None], tmp_path: Path) -> None:
    """PocketBase runs without our hooks: not ready, and no event is acknowledged."""
    restart(hooksDir=tmp_path)
    _assert_not_ready(own, "pb_hooks")
    assert _deliver(own).status_code >= 500


@pytest.mark.parametrize(
    "name",
    [
        *sorted(path.name for path in _HOOKS.glob("*.pb.js")),
        "lib/teams/seats.js",
        "lib/vocabulary.json",
    ],
)
def test_not_ready_with_a_part_of_the_hooks(
    name: str, own: Stack, restart: Callable[..., None], tmp_path: Path
) -> None:
    """A file of pb_hooks that was not deployed is named."""
    hooks = shutil.copytree(_HOOKS, tmp_path / "hooks")
    (hooks / name).unlink()
    restart(hooksDir=hooks)
    _assert_not_ready(own, "pb_hooks" if name == "health.pb.js" else name)


def test_not_ready_with_other_hooks(
    own: Stack, restart: Callable[..., None], tmp_path: Path
) -> None:
    """Hooks of another version: not ready, and the detail names both versions."""
    hooks = shutil.copytree(_HOOKS, tmp_path / "hooks")
    vocabulary = hooks / "lib" / "vocabulary.json"
    changed = json.loads(vocabulary.read_text()) | {"hooks_version": 99}
    vocabulary.write_text(json.dumps(changed))
    restart(hooksDir=hooks)
    _assert_not_ready(own, "version 99", "hooks")


def test_not_ready_without_migrations(
    own: Stack, restart: Callable[..., None], tmp_path: Path
) -> None:
    """A migration that was taken back is named; no event is acknowledged meanwhile."""
    newest = max(path.name for path in (ROOT / "pb_migrations").glob("*.js"))
    own.pocketbase.stop()
    migrate(own.pocketbase, "down", "1")
    restart(migrationsDir=tmp_path)
    _assert_not_ready(own, newest)


_REMOVED = {
    "a mirror's column": (
        "ALTER TABLE subscriptions RENAME COLUMN {} TO {}",
        ("cancel_at", "former"),
        "subscriptions has no column cancel_at",
    ),
    "an internal table": (
        "ALTER TABLE {} RENAME TO {}",
        ("gateway_erasures", "former"),
        "gateway_erasures is missing",
    ),
}


@pytest.mark.parametrize(("sql", "names", "words"), _REMOVED.values(), ids=_REMOVED.keys())
def test_not_ready_without_a_part_of_the_database(
    sql: str, names: tuple[str, str], words: str, own: Stack
) -> None:
    """SQL or a partial restore removed it, although PocketBase still has the definition."""
    path = own.pocketbase.data_dir / "data.db"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as database:
        database.execute(sql.format(*names))
        _assert_not_ready(own, words)
        database.execute(sql.format(*reversed(names)))
    assert _ready(own).status_code == 200


async def test_not_ready_with_a_wrong_superuser_password(own: Stack) -> None:
    """A password that was changed in the dashboard: the detail names the settings to correct."""
    part = own.pocketbase
    async with Frontend(part.url) as frontend:

        async def change_password(old: str, new: str) -> None:
            token = await frontend.log_in(part.superuser_email, old, "_superusers")
            [root] = await frontend.list_records("_superusers", token=token)
            path = f"/api/collections/_superusers/records/{root['id']}"
            body = {"password": new, "passwordConfirm": new}
            await frontend.call("PATCH", path, token=token, body=body)

        await change_password(part.superuser_password, "another password")
        _assert_not_ready(own, "POCKETBASE_SUPERUSER_PASSWORD", "POCKETBASE_SUPERUSER_EMAIL")
        answer = _deliver(own)
        read_problem(answer, 503)
        assert int(answer.headers["retry-after"]) > 0

        await change_password("another password", part.superuser_password)
    assert _ready(own).status_code == 200
    assert _deliver(own).status_code == 200


def test_not_ready_while_pocketbase_cannot_write(own: Stack) -> None:
    """Another process holds the database: reads go on, and the detail says what PocketBase says."""
    database = sqlite3.connect(own.pocketbase.data_dir / "data.db", isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        wait_until(lambda: _ready(own).status_code == 503, 20)
        _assert_not_ready(own, "did not write", "lock its database")
    finally:
        database.close()
    wait_until(lambda: _ready(own).status_code == 200, 20)


def test_a_first_sign_in_does_not_delay_the_answer(own: Stack) -> None:
    """The database is locked before the gateway's first sign-in: it starts, and /ready answers."""
    database = sqlite3.connect(own.pocketbase.data_dir / "data.db", isolation_level=None)
    own.gateway.stop()
    try:
        database.execute("BEGIN IMMEDIATE")
        own.gateway.start()
        own.gateway.wait_healthy()
        started = time.monotonic()
        _assert_not_ready(own, "PocketBase did not accept a sign-in", "lock its database")
        assert time.monotonic() - started < 4.5
    finally:
        database.close()
    wait_until(lambda: _ready(own).status_code == 200, 20)


def test_not_ready_with_a_full_disk(own: Stack) -> None:
    """No file may grow: the write-ahead log can't take a page, and the detail names the cause."""
    process = psutil.Process(own.pocketbase.pid)
    unlimited = process.rlimit(psutil.RLIMIT_FSIZE)
    try:
        process.rlimit(psutil.RLIMIT_FSIZE, (1, unlimited[1]))
        wait_until(lambda: _ready(own).status_code == 503, 20)
        _assert_not_ready(own, "PocketBase answered 503", "can't be written")
    finally:
        process.rlimit(psutil.RLIMIT_FSIZE, unlimited)
    wait_until(lambda: _ready(own).status_code == 200, 20)


async def test_not_ready_with_a_second_factor(own: Stack) -> None:
    """A superuser that must give a one-time password as well can't be a program's."""
    part = own.pocketbase
    async with Frontend(part.url) as frontend:
        token = await _add_superuser(frontend, part)

        async def set_factors(*, enabled: bool) -> None:
            body = {"mfa": {"enabled": enabled}, "otp": {"enabled": enabled}}
            await frontend.call("PATCH", "/api/collections/_superusers", token=token, body=body)

        await set_factors(enabled=True)
        await _end_sessions(frontend, part, token)
        _assert_not_ready(own, "second factor (MFA)", "MFA rule", "_superusers")
        assert "second factor" in read_problem(_deliver(own), 503)["detail"]
        await set_factors(enabled=False)
    assert _ready(own).status_code == 200


async def _add_superuser(frontend: Frontend, part: PocketBaseProcess) -> str:
    """Return the token of another superuser."""
    token = await frontend.log_in(part.superuser_email, part.superuser_password, "_superusers")
    email, password = f"{uuid4().hex}@example.com", "correct-horse"
    body = {"email": email, "password": password, "passwordConfirm": password}
    path = "/api/collections/_superusers/records"
    await frontend.call("POST", path, token=token, body=body)
    return await frontend.log_in(email, password, "_superusers")


async def _end_sessions(frontend: Frontend, part: PocketBaseProcess, token: str) -> None:
    """Set the superuser's password again: its tokens are no longer valid."""
    found = await frontend.list_records("_superusers", token=token)
    [own_id] = [each["id"] for each in found if each["email"] == part.superuser_email]
    password = part.superuser_password
    body = {"password": password, "passwordConfirm": password}
    path = f"/api/collections/_superusers/records/{own_id}"
    await frontend.call("PATCH", path, token=token, body=body)


def test_the_log_has_the_reason_of_a_failed_delivery(own: Stack) -> None:
    """PocketBase's status and words are in the response and in the line of the log."""
    database = sqlite3.connect(own.pocketbase.data_dir / "data.db", isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        assert "PocketBase answered 503" in read_problem(_deliver(own), 503)["detail"]
    finally:
        database.close()
    lines = "\n".join(own.gateway.read_last_lines(20))
    assert "PocketBase answered 503" in lines
