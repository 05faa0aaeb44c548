"""The gateway that PocketBase calls when one stops, returns, or has a different table."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import httpx
import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack
from tests.deadline import wait_until
from tests.problem import read_problem
from tests.second_gateway import build_second_gateway, inherit_settings
from tests.transforms.conftest import make_collections

NOTES = "/api/collections/notes/records"


def _start_gateway(stack: Stack, folder: Path, **changed: str) -> GatewayProcess:
    """Start a gateway of its own beside a stack, and wait until it lives."""
    log = folder / f"gateway-{len(list(folder.iterdir()))}.log"
    gateway = build_second_gateway(stack, log, **inherit_settings(stack, **changed))
    gateway.start()
    gateway.wait_healthy()
    return gateway


@pytest.fixture
def own(fresh_stack: Callable[..., Stack]) -> Stack:
    """Parts to kill, with the transforms of sample_transforms.py."""
    made = fresh_stack(GATEWAY_APP="tests.transforms.sample_transforms:app")
    make_collections(made)
    return made


def _create(stack: Stack, title: str = "A  Note") -> httpx.Response:
    url = stack.pocketbase.url + NOTES
    return httpx.post(url, json={"title": title}, trust_env=False, timeout=20)


def _ready(gateway: GatewayProcess) -> httpx.Response:
    return httpx.get(f"{gateway.url}/ready", trust_env=False)


def test_a_living_gateway_takes_over(own: Stack, tmp_path: Path) -> None:
    """The gateway that started last is gone: no write fails, for the other one is asked."""
    later = _start_gateway(own, tmp_path)
    try:
        wait_until(lambda: _ready(later).is_success)
        assert _create(own).json()["slug"] == "a-note"
    finally:
        later.kill()
    for _ in range(3):
        answer = _create(own)
        assert answer.status_code == 200, answer.text
        assert answer.json()["slug"] == "a-note"
    assert _ready(own.gateway).is_success


def test_a_gateway_that_is_overruled_is_not_ready(own: Stack, tmp_path: Path) -> None:
    """With another table in force it says so, and takes over when the later gateway hangs."""
    later = _start_gateway(own, tmp_path, GATEWAY_APP="tests.transforms.small_transforms:app")
    try:
        wait_until(lambda: _ready(later).is_success)
        wait_until(lambda: _ready(own.gateway).status_code == 503)
        detail = read_problem(_ready(own.gateway), 503, "overruled")["detail"]
        assert "another table" in detail
        later.pause()
        wait_until(lambda: _ready(own.gateway).is_success, within=30)
        url = f"{own.pocketbase.url}/api/collections/mirrors/records"
        made = httpx.post(url, json={"title": "a"}, trust_env=False)
        assert made.json()["seen"]["operation"] == "create"
        later.resume()
        wait_until(lambda: _ready(own.gateway).status_code == 503, within=30)
    finally:
        later.kill()


def test_a_restart_of_the_only_gateway_is_not_seen(own: Stack) -> None:
    """Writes that come meanwhile wait for it: each is answered as ever."""

    async def write_during_restart() -> list[httpx.Response]:
        own.gateway.stop()
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            url = own.pocketbase.url + NOTES
            writes = [
                asyncio.create_task(client.post(url, json={"title": f"Note  {number}"}))
                for number in range(10)
            ]
            await asyncio.to_thread(own.gateway.start)
            return await asyncio.gather(*writes)

    for answer in asyncio.run(write_during_restart()):
        assert answer.status_code == 200, answer.text
        assert answer.json()["slug"].startswith("note-")


def test_an_outage_makes_no_write_wait_but_the_first(own: Stack) -> None:
    """Once it has lasted longer than a restart, writes are refused at once."""
    own.gateway.kill()
    assert _create(own).status_code == 503
    for _ in range(20):
        answer = _create(own)
        assert answer.status_code == 503
        assert answer.elapsed.total_seconds() < 2


@contextmanager
def _balance(*ports: int) -> Iterator[int]:
    """Serve one address for several gateways: each connection goes to the next."""
    turns = cycle(ports)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    is_over = threading.Event()

    def accept() -> None:
        while not is_over.is_set():
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            backend = socket.create_connection(("127.0.0.1", next(turns)))
            for pair in ((client, backend), (backend, client)):
                threading.Thread(target=_pump, args=pair, daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        is_over.set()
        thread.join()
        listener.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    finally:
        for end in (source, target):
            end.close()


def test_two_tables_behind_one_address(own: Stack, tmp_path: Path) -> None:
    """During a rollout each write reaches a gateway that has its transform."""
    own.gateway.stop()
    old_port, new_port = pick_free(), pick_free()
    with _balance(old_port, new_port) as port:
        url = f"http://127.0.0.1:{port}"
        gateways = []
        try:
            for number, (own_port, table) in enumerate(
                ((old_port, "small_transforms"), (new_port, "sample_transforms"))
            ):
                env = {
                    **own.plan.gateway_env,
                    "GATEWAY_HOOK_SECRETS": own.plan.hook_secrets,
                    "GATEWAY_APP": f"tests.transforms.{table}:app",
                    "GATEWAY_PUBLIC_URL": url,
                }
                gateway = GatewayProcess(
                    own_port,
                    log=tmp_path / f"{number}.log",
                    pocketbase=own.pocketbase,
                    stripe=own.plan.stripe,
                    frontend_origins=own.plan.frontend_origins,
                    env=env,
                )
                gateways.append(gateway)
                gateway.start()
                gateway.wait_ready()
            mirrors = f"{own.pocketbase.url}/api/collections/mirrors/records"
            for number in range(30):
                made = httpx.post(mirrors, json={"title": "a"}, trust_env=False, timeout=20)
                assert made.status_code == 200, (number, made.text)
                assert made.json()["seen"]["operation"] == "create"
                assert _create(own).json()["slug"] == "a-note"
        finally:
            for gateway in gateways:
                gateway.kill()
