"""`gateway dev` in a team's project: reload, hooks, migrations and one log."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.deadline import wait_until
from tests.dev.conftest import Run

StartRun = Callable[..., Run]

_APP = """\
from gateway import Gateway

app = Gateway()


@app.get("/answer")
async def read_answer() -> dict[str, int]:
    return {"answer": NUMBER}
"""


_NUMBER = "int(os.environ.get('SHOP_NUMBER', '0'))"


def _write(project: Path, number: str) -> None:
    (project / "app.py").write_text(_APP.replace("NUMBER", number))


def _read(run: Run) -> object:
    try:
        answer = httpx.get(f"{run.url('gateway')}/answer", trust_env=False, timeout=5)
    except httpx.TransportError:
        return None
    return answer.json().get("answer")


@pytest.fixture
def project(tmp_path: Path, migrated: Path) -> Path:
    """A project with an endpoint."""
    folder = tmp_path / "shop"
    folder.mkdir()
    _write(folder, "1")
    return folder


def test_saved_code_is_served_without_a_gap(start_run: StartRun, project: Path) -> None:
    """Only the app restarts, no request is refused meanwhile, and an import is new as well."""
    run = start_run(project=project)
    run.wait_up()
    assert _read(run) == 1
    pids = {part.pid for part in run.direct_parts}
    for number in ("2", "3", "4"):
        _write(project, number)
        saved = time.monotonic()
        seen = []
        while not seen or seen[-1] != int(number):
            seen.append(_read(run))
            assert time.monotonic() - saved < 60
        assert set(seen) <= {int(number) - 1, int(number)}
        # Until then the server from before may answer as well.
        wait_until(lambda n=int(number): run.output.count("the app is reloaded") == n - 1)
    assert {part.pid for part in run.direct_parts} == pids
    assert "app.py changed: reloading the app" in run.output


def test_a_syntax_error_keeps_the_last_working_code(start_run: StartRun, project: Path) -> None:
    """The message names file and line; the next save that works is served."""
    run = start_run(project=project)
    run.wait_up()
    _write(project, "(")
    wait_until(lambda: "The app was not reloaded" in run.output)
    assert "app.py can't be imported: SyntaxError" in run.output
    assert "(app.py, line 8)" in run.output
    assert _read(run) == 1
    _write(project, "4")
    wait_until(lambda: _read(run) == 4)


def test_a_project_that_starts_broken_is_repaired_while_it_runs(
    start_run: StartRun, project: Path
) -> None:
    """The first start waits for the app, and continues when it is saved."""
    _write(project, "missing + ")
    run = start_run(project=project)
    wait_until(lambda: "The app can't start." in run.output, 60)
    wait_until(lambda: run.answers(f"{run.url('pocketbase')}/api/health"), 60)
    _write(project, "5")
    run.wait_up()
    assert _read(run) == 5


def test_a_wrong_declaration_is_reported_at_the_first_start(
    start_run: StartRun, project: Path
) -> None:
    """PocketBase is up before the app, so a missing collection is named with file and line."""
    with (project / "app.py").open("a") as file:
        file.write(
            '\n\n@app.mirror("payout", collection="payouts", path="/v1/payouts")\n'
            "def row(payout: dict, deleted: bool) -> dict:\n    return {}\n"
        )
    run = start_run(project=project)
    wait_until(lambda: "app.py:11: " in run.output or "app.py:12: " in run.output, 40)
    _write(project, "7")
    run.wait_up()
    assert _read(run) == 7


def test_an_app_that_ends_itself_is_started_again(start_run: StartRun, project: Path) -> None:
    """A crash of the app is reported, and the address answers again."""
    with (project / "app.py").open("a") as file:
        file.write("\n\n@app.get('/crash')\nasync def crash():\n    import os\n    os._exit(9)\n")
    run = start_run(project=project)
    run.wait_up()
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{run.url('gateway')}/crash", trust_env=False)
    wait_until(lambda: "The app ended by itself; starting it again." in run.output)
    wait_until(lambda: _read(run) == 1)


def test_own_hooks_and_migrations_are_added(start_run: StartRun, project: Path) -> None:
    """They work beside ours; a saved hook or a new migration restarts PocketBase."""
    (project / "pb_hooks").mkdir()
    hook = project / "pb_hooks" / "hello.pb.js"
    hook.write_text('routerAdd("GET", "/hello", (e) => e.json(200, { n: 1 }))')
    (project / "pb_migrations").mkdir()
    (project / "pb_migrations" / "1764000000_a.js").write_text(_build_migration("a_things"))
    run = start_run(project=project)
    run.wait_up()
    base = run.url("pocketbase")
    assert _get(f"{base}/hello") == {"n": 1}
    assert _get(f"{base}/api/collections/a_things/records")["items"] == []
    assert "totalItems" in _get(f"{base}/api/collections/prices/records")

    hook.write_text('routerAdd("GET", "/hello", (e) => e.json(200, { n: 2 }))')
    wait_until(lambda: _get(f"{base}/hello") == {"n": 2}, 15)
    (project / "pb_migrations" / "1764000001_b.js").write_text(_build_migration("b_things"))
    wait_until(lambda: "items" in _get(f"{base}/api/collections/b_things/records"), 15)
    assert "1764000001_b.js changed: restarting PocketBase" in run.output


def test_an_app_starts_when_its_migration_follows(start_run: StartRun, project: Path) -> None:
    """Code that is saved before its collection exists is loaded again after the migration."""
    run = start_run(project=project)
    run.wait_up()
    transform = "@app.transform('a_things', on='create')\nasync def check(values, context): ...\n"
    (project / "app.py").write_text(f"{_APP.replace('NUMBER', '2')}\n\n{transform}")
    wait_until(lambda: "There is no collection a_things" in run.output, 15)
    (project / "pb_migrations").mkdir(exist_ok=True)
    (project / "pb_migrations" / "1764000000_a.js").write_text(_build_migration("a_things"))
    wait_until(lambda: "PocketBase has changed: loading the app again" in run.output, 15)
    wait_until(lambda: _read(run) == 2, 15)


def test_own_settings_of_the_env_file_reach_the_app(start_run: StartRun, project: Path) -> None:
    """A variable that only the app knows is in its environment; those of other parts are not."""
    code = _APP.replace("NUMBER", "int(os.environ['SHOP_NUMBER'])")
    (project / "app.py").write_text(f"import os\n\n{code}")
    run = start_run("SHOP_NUMBER=6", project=project)
    run.wait_up()
    assert _read(run) == 6


def test_a_hook_that_pocketbase_can_not_read(start_run: StartRun, project: Path) -> None:
    """The file and the error are shown without a stack trace; the corrected hook starts at once."""
    (project / "pb_hooks").mkdir()
    hook = project / "pb_hooks" / "hello.pb.js"
    run = start_run(project=project)
    run.wait_up()
    hook.write_text("routerAdd(")
    wait_until(lambda: "It starts again in" in run.output, 15)
    assert "failed to execute hello.pb.js" in run.output
    assert "SyntaxError" in run.output
    assert "goroutine" not in run.output
    assert ".go:" not in run.output
    hook.write_text('routerAdd("GET", "/hello", (e) => e.json(200, { n: 3 }))')
    wait_until(lambda: _get(f"{run.url('pocketbase')}/hello") == {"n": 3}, 15)


def test_a_migration_that_has_run_is_not_run_again(start_run: StartRun, project: Path) -> None:
    """A line says what to do instead of a change that has no effect."""
    (project / "pb_migrations").mkdir()
    file = project / "pb_migrations" / "1764000000_a.js"
    file.write_text(_build_migration("a_things"))
    run = start_run(project=project)
    run.wait_up()
    file.write_text(_build_migration("other_things"))
    wait_until(lambda: "1764000000_a.js changed, but PocketBase has run it" in run.output)


def test_a_wrong_env_file_is_read_again(start_run: StartRun, project: Path) -> None:
    """One line names the setting; the saved file starts the app, and later changes restart it."""
    (project / "app.py").write_text(f"import os\n\n{_APP}".replace("NUMBER", _NUMBER))
    run = start_run("GATEWAY_METRICS_TOKEN=short", project=project)
    wait_until(lambda: "Correct the setting in .env" in run.output, 60)
    run_settings = run.home / "dotenv"
    run_settings.write_text(f"SHOP_NUMBER=7\nGATEWAY_METRICS_TOKEN={'t' * 16}\n")
    run.wait_up()
    assert _read(run) == 7
    sentence = "GATEWAY_METRICS_TOKEN is wrong: it must have at least 16 characters."
    assert run.output.count(sentence) == 1
    run_settings.write_text("SHOP_NUMBER=8\n")
    wait_until(lambda: _read(run) == 8, 40)
    assert "dotenv changed: restarting the gateway" in run.output
    run_settings.write_text("POCKETBASE_SUPERUSER_EMAIL=a@example.com\n")
    wait_until(lambda: "dotenv: POCKETBASE_SUPERUSER_" in run.output)
    login = "POCKETBASE_SUPERUSER_EMAIL=a@example.com\nPOCKETBASE_SUPERUSER_PASSWORD=1234567890\n"
    run_settings.write_text(login)
    wait_until(lambda: "dotenv changed: end `gateway dev` and start it again" in run.output)


def test_a_hook_with_a_name_of_ours_is_refused(start_run: StartRun, project: Path) -> None:
    """It would replace ours without a word."""
    (project / "pb_hooks").mkdir()
    (project / "pb_hooks" / "billing.pb.js").write_text("")
    run = start_run(project=project)
    assert run.wait() == 1
    assert "has the name of a file of the gateway: rename it." in run.errors


def test_a_change_in_the_dashboard_becomes_a_migration(start_run: StartRun, project: Path) -> None:
    """It is in the project's folder a moment later, and PocketBase is not restarted for it."""
    run = start_run(project=project)
    run.wait_up()
    kept = run.read_secrets()
    token = run.log_in_superuser(kept["SUPERUSER_EMAIL"], kept["SUPERUSER_PASSWORD"]).json()
    httpx.post(
        f"{run.url('pocketbase')}/api/collections",
        json={"name": "drafts", "type": "base", "fields": [{"name": "text", "type": "text"}]},
        headers={"Authorization": token["token"]},
        trust_env=False,
    ).raise_for_status()
    folder = project / "pb_migrations"
    wait_until(lambda: folder.is_dir() and any(folder.glob("*_drafts.js")))
    wait_until(lambda: "The dashboard's change is in" in run.output, 5)
    assert "restarting PocketBase" not in run.output


def test_one_log_has_a_prefix_per_part(start_run: StartRun, project: Path, migrated: Path) -> None:
    """Steps of the first start are printed, and lines of each part with its name."""
    shutil.rmtree(migrated)
    run = start_run(project=project)
    run.wait_up()
    assert "Creating PocketBase's database …" in run.output
    assert "Starting the gateway …" in run.output
    wait_until(lambda: "\ngateway    | " in run.output, 5)
    assert "\npocketbase | " in run.output


def _get(url: str) -> dict[str, object]:
    try:
        return dict(httpx.get(url, trust_env=False, timeout=5).json())
    except (httpx.TransportError, ValueError):
        return {}


def _build_migration(name: str) -> str:
    """Return a migration that creates a readable collection."""
    return (
        "migrate((app) => app.save(new Collection({"
        f' name: "{name}", type: "base", listRule: "", fields: [] }})),'
        f' (app) => app.delete(app.findCollectionByNameOrId("{name}")))'
    )
