"""A supervised process: started, paused, killed, stopped for certain."""

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from gateway.dev.errors import StackError
from gateway.dev.ports import pick_free
from gateway.dev.process import Process, inherit_environment

_SERVER = "import sys, http.server as h; h.test(h.SimpleHTTPRequestHandler, port=int(sys.argv[1]))"
_STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {_SERVER}"


def _build(folder: Path, code: str) -> Process:
    port = pick_free()
    return Process(
        "The server",
        [sys.executable, "-c", code, str(port)],
        log=folder / "log" / "server.log",
        env=inherit_environment(),
        health_url=f"http://127.0.0.1:{port}/",
        cwd=folder,
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    """A small HTTP server that is healthy."""
    process = _build(tmp_path, _SERVER)
    process.start()
    process.wait_healthy()
    yield process
    process.kill()


def test_stop_ends_a_process(server: Process) -> None:
    """A stopped process has ended when `stop` returns."""
    pid = server.pid
    server.stop()
    assert not server.is_running
    assert not psutil.pid_exists(pid)


def test_stop_twice_is_no_error(server: Process) -> None:
    """Stopping what has ended does nothing."""
    server.stop()
    server.stop()
    assert not server.is_running


def test_stop_ends_a_stubborn_process(tmp_path: Path) -> None:
    """A process that ignores SIGTERM is killed after the bounded time."""
    process = _build(tmp_path, _STUBBORN)
    process.start()
    process.wait_healthy()
    process.stop(within=0.1)
    assert process.wait(0) == -9


def test_a_paused_process_answers_nothing_until_resumed(server: Process) -> None:
    """Pausing keeps connections open and silent; resuming answers them."""
    server.pause()
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(server.health_url, timeout=0.2, trust_env=False)
    server.resume()
    server.wait_healthy()


def test_a_paused_process_can_be_stopped(server: Process) -> None:
    """A paused process can be stopped."""
    server.pause()
    server.stop()
    assert not server.is_running


def test_restart_gives_a_new_process(server: Process) -> None:
    """A killed process comes back healthy on the same address."""
    pid = server.pid
    server.kill()
    server.restart()
    assert server.pid != pid


def test_starting_twice_is_refused(server: Process) -> None:
    """A second start would lose sight of the first process."""
    with pytest.raises(StackError, match=r"The server is running already\."):
        server.start()


def test_an_early_end_is_described_with_the_log(tmp_path: Path) -> None:
    """A process that dies at its start is one sentence with the log's last lines below it."""
    process = _build(tmp_path, "import sys; print('broken'); sys.exit(7)")
    process.start()
    with pytest.raises(StackError) as raised:
        process.wait_healthy()
    assert str(raised.value).splitlines() == [
        f"The server ended with exit code 7; its log {process.log} ends with:",
        "  broken",
    ]


def test_a_process_that_never_answers_is_described(tmp_path: Path) -> None:
    """Health is waited for in bounded time."""
    process = _build(tmp_path, "import signal; signal.pause()")
    process.start()
    with pytest.raises(StackError, match=r"The server did not become healthy in 0\.2 s"):
        process.wait_healthy(0.2)
    process.kill()


def test_a_part_inherits_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of one part in the developer's environment never reaches another."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_mine")
    monkeypatch.setenv("HARMLESS", "1")
    environment = inherit_environment()
    assert "STRIPE_SECRET_KEY" not in environment
    assert environment["HARMLESS"] == "1"
