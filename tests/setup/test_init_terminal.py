"""`gateway init` in a terminal, interrupted, and beside a running `gateway dev`."""

import asyncio
import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from gateway.dev.pocketbase import ROOT
from tests.setup.conftest import DOMAIN, KEY, Machine


async def _read(
    terminal: int, until: str, while_silent: Callable[[], object] = lambda: None
) -> str:
    """Read a terminal until a text has come, or the process has ended.

    Raises:
        AssertionError: none of both within a minute.
    """
    text = ""
    deadline = time.monotonic() + 60
    while until not in text:
        assert time.monotonic() < deadline, text
        if not (await asyncio.to_thread(select.select, [terminal], [], [], 1.0))[0]:
            while_silent()
            continue
        try:
            text += os.read(terminal, 65_536).decode()
        except OSError:
            break
    return text


async def test_questions_and_an_interruption(machine: Machine) -> None:
    """It asks for the key without showing it; after Ctrl-C the same command continues."""
    machine.write_env()
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "gateway", "init"]
    process = subprocess.Popen(  # noqa: ASYNC220 - it starts at once
        [*command, f"--env-file={machine.env_file}", f"--domain={DOMAIN}"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        cwd=machine.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "dumb"},
    )
    os.close(terminal)
    try:
        shown = await _read(controller, "restricted key: ")
        assert "Customers: Write (POST /checkout)" in shown
        os.write(controller, f"{KEY}\n".encode())
        shown += await _read(controller, "superuser for people: ")

        def interrupt() -> None:
            process.send_signal(signal.SIGINT)

        # Again, if the first comes between the question and the read.
        interrupt()
        shown += await _read(controller, "continues with the missing steps.", interrupt)
        assert await asyncio.to_thread(process.wait, 10) == 1, shown
    finally:
        process.kill()
        process.wait()
        os.close(controller)
    machine.printed.append(shown)
    assert machine.env.get("STRIPE_SECRET_KEY") == KEY, shown
    [endpoint] = machine.endpoints
    before = machine.env_file.read_text()
    assert (await machine.init()).code == 0
    assert machine.env_file.read_text() == before
    assert machine.endpoints == [endpoint]
    assert (await machine.read_settings())["batch"]["enabled"]


async def test_beside_a_run_with_the_simulator(machine: Machine) -> None:
    """PocketBase is set up with the run's superuser; its Stripe account is the simulator's."""
    part = machine.pocketbase
    folder = machine.folder / ".local"
    folder.mkdir()
    settings = {
        "POCKETBASE_URL": part.url,
        "POCKETBASE_SUPERUSER_EMAIL": part.superuser_email,
        "POCKETBASE_SUPERUSER_PASSWORD": part.superuser_password,
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_API_BASE": machine.stripe.base,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = await machine.init()
    assert ended.code == 0
    assert "Stripe: simulated by the running `gateway dev`" in ended.out
    assert "Catalogue:" in ended.out
    assert not (folder.parent / ".env").exists()
    assert machine.endpoints == []
    assert "127.0.0.1" in (await machine.read_settings())["rateLimits"]["excludedIPs"]
