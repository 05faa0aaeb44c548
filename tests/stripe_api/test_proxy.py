"""Stripe through a proxy, as HTTPS_PROXY and NO_PROXY say."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import trustme

from gateway.stripe_api import read_object
from tests.connections.server import OK, read_request
from tests.stripe_api.client import open_client
from tests.stripe_api.proxy import ForwardProxy
from tests.stripe_api.recorder import Recorder, answer

_HOST = "api.stripe.test"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own configuration."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest_asyncio.fixture
async def tls_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server with a certificate for `_HOST` that the system trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(_HOST).configure_cert(context)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_requests_to_stripe_pass_through_the_proxy(
    tls_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS_PROXY opens a tunnel, through which Stripe's own certificate is checked."""
    proxy = ForwardProxy(lambda: tls_port)
    async with proxy.serve() as url:
        monkeypatch.setenv("HTTPS_PROXY", url)
        async with open_client(f"https://{_HOST}") as client:
            assert (await read_object(client, "/v1/prices/price_1")).body == {}
    assert proxy.targets == [f"CONNECT {_HOST}:443"]


async def test_a_simulator_without_tls_is_reached_through_http_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """HTTP_PROXY is for STRIPE_API_BASE with http; the proxy gets the whole address."""
    recorder = Recorder([answer("200 OK", b'{"id": "price_1"}')])
    async with recorder.serve() as origin:
        proxy = ForwardProxy(lambda: int(origin.rpartition(":")[2]))
        async with proxy.serve() as url:
            monkeypatch.setenv("HTTP_PROXY", url)
            async with open_client(f"http://{_HOST}") as client:
                await read_object(client, "/v1/prices/price_1")
    assert proxy.targets == [f"GET http://{_HOST}/v1/prices/price_1"]
    assert len(recorder.requests) == 1


@pytest.mark.parametrize("exception", ["127.0.0.1", "*", "stripe.com,127.0.0.1"])
async def test_no_proxy_names_exceptions(exception: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts that NO_PROXY names are asked directly."""
    recorder = Recorder([answer("200 OK", b'{"id": "price_1"}')])
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", exception)
    async with recorder.serve() as origin, open_client(origin) as client:
        await read_object(client, "/v1/prices/price_1")
    assert len(recorder.requests) == 1
