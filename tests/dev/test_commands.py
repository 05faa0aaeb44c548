"""`gateway …` in the folder of a running `make run` works on that run."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from gateway.dev.pocketbase import ROOT
from gateway.dev.stack import Stack
from gateway.json_codec import load
from tests.dev.conftest import Run

StartRun = Callable[..., Run]


def _command(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, without any setting but these."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


pytestmark = pytest.mark.usefixtures("migrated")


#: Arguments, and a part of the output that needs the settings or the app of a run. All other
#: commands connect as `events` does.
_BESIDE_A_RUN = {
    ("doctor", "--only", "app", "--json"): "collections fit the app's declarations",
    ("events", "list"): "Using the settings of the run in",
    ("list-posts",): "Using the settings of the run in",
    ("openapi",): "shop.posts.prepare_post",
    ("transforms", "list"): "shop.posts.prepare_post",
}


def _check_beside_a_run(folder: Path) -> None:
    """Check that each command in a folder uses the settings and the app of the run near it."""
    with ThreadPoolExecutor(3) as pool:
        done = pool.map(lambda arguments: _command(folder, *arguments), _BESIDE_A_RUN)
        for expected, each in zip(_BESIDE_A_RUN.values(), done, strict=True):
            assert expected in each.stdout + each.stderr, (each.args, each.stderr)


def test_commands_find_the_settings_of_a_run(start_run: StartRun) -> None:
    """In its folder and below it, while it runs; its file is private and gone afterwards."""
    run = start_run()
    run.wait_up()
    settings = run.folder / "settings.json"
    assert settings.stat().st_mode & 0o777 == 0o600
    below = run.home / "a" / "b"
    below.mkdir(parents=True)
    done = _command(run.home, "events", "list")
    assert done.returncode == 0, done.stderr
    assert str(run.folder) in done.stderr
    _check_beside_a_run(below)
    run.interrupt()
    assert not settings.exists()
    assert "POCKETBASE_SUPERUSER_EMAIL is not set" in _command(run.home, "events", "list").stderr


def test_a_run_keeps_the_apps_own_settings(start_run: StartRun) -> None:
    """Variables of the app stay in `.env`; a port in the environment changes no other service."""
    run = start_run("SHOP_NUMBER=6")
    run.wait_up()
    assert load((run.folder / "settings.json").read_text())["SHOP_NUMBER"] == "6"
    assert _command(run.home, "events", "list", POCKETBASE_PORT="8099").returncode == 0


def test_the_settings_of_a_killed_run_are_not_used(start_run: StartRun) -> None:
    """Its file stays behind, and its lock does not."""
    run = start_run()
    run.wait_up()
    run.child.kill()
    run.wait()
    assert (run.folder / "settings.json").exists()
    assert "POCKETBASE_SUPERUSER_EMAIL is not set" in _command(run.home, "events", "list").stderr


def test_settings_of_two_deployments_are_never_mixed(start_run: StartRun) -> None:
    """An environment that names a PocketBase is used alone, even where a run is near."""
    run = start_run()
    run.wait_up()
    done = _command(run.home, "events", "list", POCKETBASE_URL="http://127.0.0.1:9")
    assert "POCKETBASE_SUPERUSER_EMAIL is not set" in done.stderr


def test_commands_without_stripe_ask_for_no_key(stack: Stack) -> None:
    """Stored events and background work are PocketBase's; reading them needs no Stripe key."""
    access = {
        name: text for name, text in stack.gateway.env.items() if name.startswith("POCKETBASE_")
    }
    for arguments in (
        ("events", "list"),
        ("events", "prune", "--dry-run"),
        ("work", "list"),
        ("transforms", "list"),
    ):
        done = _command(ROOT, *arguments, **access)
        assert done.returncode == 0, done.stderr
    assert "STRIPE_SECRET_KEY is not set" in _command(ROOT, "reconcile", **access).stderr


def test_an_empty_catalogue_offers_the_import(start_run: StartRun, stack: Stack) -> None:
    """With keys of Stripe and no prices, the greeting names the command that imports them."""
    stripe = stack.plan.stripe
    keys = (
        f"STRIPE_SECRET_KEY={stripe.secret_key}\nSTRIPE_WEBHOOK_SECRETS=whsec_a\n"
        f"STRIPE_API_BASE={stripe.api_base}\n"
    )
    run = start_run(keys)
    run.wait_up()
    assert "-m gateway reconcile" in run.output
    httpx.post(
        f"{stripe.api_base}/v1/prices",
        data={"currency": "usd", "unit_amount": "900", "product_data[name]": "Import me"},
        headers={"Authorization": f"Bearer {stripe.secret_key}"},
        trust_env=False,
    ).raise_for_status()
    done = _command(run.home, "reconcile", "--objects-only", "--only", "products,prices")
    assert done.returncode == 0, done.stderr
    run.interrupt()
    again = start_run(keys)
    again.wait_up()
    assert "-m gateway reconcile" not in again.output.rsplit("Gateway  ", 1)[-1]


def test_commands_in_another_folder_name_the_cause(tmp_path: Path) -> None:
    """No app, or no `gateway dev`, comes before what follows from it."""
    done = _command(tmp_path, "show-posts")
    assert done.returncode == 1
    assert done.stderr.startswith(f"No such command 'show-posts'. There is no app in {tmp_path}")
    done = _command(tmp_path, "transforms", "run", "posts")
    assert done.stderr.startswith(f"There is no app in {tmp_path}")
    done = _command(tmp_path, "events", "list")
    assert done.stderr.startswith("No `gateway dev` runs in this folder")
