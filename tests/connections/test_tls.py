"""Connections over TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import trustme

from gateway.errors import StripeUnavailable
from gateway.http.problems import respond_to
from gateway.pocketbase.commit_connections import CommitConnections
from gateway.pocketbase.connections import Connections
from gateway.stripe_api import read_object
from tests.stripe_api.client import open_client

Kind = type[Connections] | type[CommitConnections]


@pytest.fixture(params=[Connections, CommitConnections])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each of the two clients of PocketBase."""
    found: Kind = request.param
    return found


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that is not trusted by default."""
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the authority's certificate."""
    path = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest_asyncio.fixture
async def port(authority: trustme.CA) -> AsyncIterator[int]:
    """The address of a server with a certificate of that authority."""
    tasks = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(serve(reader, writer)))

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]
    await asyncio.gather(*tasks)


async def test_a_server_that_is_trusted_is_spoken_to(
    kind: Kind, certificate: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the certificate among the trusted ones, requests are answered, on one connection."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    connections = kind(f"https://localhost:{port}", {}, 5)
    for _ in range(2):
        assert (await connections.request("GET", "/", {}, None)).body == b"{}"
    await connections.close()


async def test_a_server_that_nobody_vouches_for_is_not(kind: Kind, port: int) -> None:
    """A certificate that is not trusted ends the connection before anything is sent."""
    connections = kind(f"https://localhost:{port}", {}, 5)
    with pytest.raises(ssl.SSLCertVerificationError):
        await connections.request("GET", "/", {"Authorization": "secret"}, None)
    await connections.close()


async def test_a_trusted_server_of_another_name_is_not(
    kind: Kind, certificate: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that is trusted, but another host's, does not do."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    connections = kind(f"https://127.0.0.1:{port}", {}, 5)
    with pytest.raises(ssl.SSLCertVerificationError):
        await connections.request("GET", "/", {"Authorization": "secret"}, None)
    await connections.close()


async def test_the_log_says_why_stripe_is_not_trusted(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    """To a caller it is a Stripe that does not answer; the log names the certificate."""
    async with open_client(f"https://localhost:{port}") as client:
        with pytest.raises(StripeUnavailable) as refused:
            await read_object(client, "/v1/prices/price_1")
    answer = respond_to(refused.value, "/checkout")
    assert b"certificate" not in bytes(answer.body)
    assert "certificate verify failed" in vars(caplog.records[-1])["reason"]
    assert "sk_test_secret" not in str(vars(caplog.records[-1]))


async def test_stripe_is_trusted_by_the_systems_certificates_too(
    certificate: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A company's proxy that opens TLS works once its authority is among the system's."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with open_client(f"https://localhost:{port}") as client:
        assert (await read_object(client, "/v1/prices/price_1")).body == {}
