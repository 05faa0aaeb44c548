"""Origins, certificates and proxies that `gateway doctor` names, and a check from outside."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.doctor.conftest import Doctor
from tests.simulator.served import serving

_LIVE = {"STRIPE_SECRET_KEY": "sk_live_0123456789abcdefghijklmn"}
_OUTSIDE = ("POCKETBASE_SUPERUSER_EMAIL", "POCKETBASE_SUPERUSER_PASSWORD")


async def test_an_origin_without_https_is_named(doctor: Doctor) -> None:
    """In live mode, frontends need HTTPS."""
    report = await doctor("web.origins", GATEWAY_FRONTEND_ORIGINS="http://shop.example", **_LIVE)
    report.assert_failed("web.origins", "http://shop.example")


async def test_an_origin_without_an_address_is_named(doctor: Doctor) -> None:
    """A misspelt domain is unknown to name servers."""
    origins = "https://localhost,https://shop.invalid"
    report = await doctor("web.origins", GATEWAY_FRONTEND_ORIGINS=origins, **_LIVE)
    report.assert_failed("web.origins", "https://shop.invalid has no", status="warning")
    assert "localhost" not in report.checks["web.origins"]["found"]


async def test_an_origin_that_the_gateway_refuses_is_named(doctor: Doctor) -> None:
    """The running gateway does not know an origin of the present settings."""
    report = await doctor("web.cors", GATEWAY_FRONTEND_ORIGINS="https://shop.example")
    report.assert_failed("web.cors", "https://shop.example")


async def test_another_metrics_token_is_found(doctor: Doctor) -> None:
    """The running gateway does not know the token of the present settings."""
    report = await doctor("web.metrics", GATEWAY_METRICS_TOKEN="another-token-of-this-test")
    report.assert_failed("web.metrics", "401")


def _answer_as(health: bytes, allow: Callable[[str], str]) -> Callable[..., Awaitable[None]]:
    """Return a program in front of the gateway: its /health, and the CORS header of an origin."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        origin = dict(scope["headers"]).get(b"origin", b"").decode()
        headers = [(b"access-control-allow-origin", allow(origin).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        body = health if scope["path"] == "/health" else b"<html>"
        await send({"type": "http.response.body", "body": body})

    return answer


@pytest.mark.parametrize(
    ("allow", "words"),
    [
        (lambda origin: "*", "https://foreign.invalid"),
        (lambda origin: origin if origin == "null" else "", "null"),
        (lambda origin: origin if origin.startswith("http://l") else "", "begins with"),
    ],
    ids=["all", "null", "prefix"],
)
async def test_a_foreign_origin_that_a_proxy_allows_is_named(
    allow: Callable[[str], str], words: str, doctor: Doctor
) -> None:
    """All origins, that of sandboxed frames, or those that begin as an allowed one."""
    async with serving(_answer_as(b'{"status": "ok"}', allow)) as url:
        env = {"GATEWAY_FRONTEND_ORIGINS": "http://localhost:8080", "GATEWAY_PUBLIC_URL": url}
        report = await doctor("web.cors", **env)
    report.assert_failed("web.cors", words)


async def test_pages_of_another_program_are_no_answers(doctor: Doctor) -> None:
    """A page with status 200 is not the gateway; nor is one in place of /ready."""
    for health, id in ((b"<html>", "gateway.reachable"), (b'{"status":"ok"}', "gateway.ready")):
        async with serving(_answer_as(health, str)) as url:
            report = await doctor("gateway", "webhooks.signature", GATEWAY_PUBLIC_URL=url)
        report.assert_failed(id, "answers 200")


async def test_a_check_that_crashes_is_not_skipped(doctor: Doctor) -> None:
    """An answer that is cut off is a failure, because the assumption may be false."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        body = b'{"status": "ok"}'
        is_cut = scope["path"] == "/metrics"
        headers = [(b"content-length", b"99" if is_cut else b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": is_cut})

    async with serving(answer) as url:
        report = await doctor("web.metrics", GATEWAY_PUBLIC_URL=url)
    report.assert_failed("web.metrics", "the check itself failed")


@asynccontextmanager
async def _serve(authority: trustme.CA, days: float) -> AsyncIterator[str]:
    """Serve TLS with a certificate that ends in some days; yield the address."""
    end = datetime.now(UTC) + timedelta(days=days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", not_after=end).configure_cert(context)

    def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("days", "status"), [(100, "ok"), (10.5, "warning"), (1.5, "failed"), (-1, "failed")]
)
async def test_a_certificate_that_ends_is_found(
    days: float, status: str, doctor: Doctor, tmp_path: Path
) -> None:
    """The certificate of the public address is valid for weeks, days, or not any more."""
    authority = trustme.CA()
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    async with _serve(authority, days) as url:
        report = await doctor("web.tls", options=("--url", url), SSL_CERT_FILE=str(file))
    assert report.checks["web.tls"]["status"] == status, report.checks["web.tls"]


async def test_an_unknown_authority_is_found(doctor: Doctor) -> None:
    """Browsers would refuse the certificate."""
    async with _serve(trustme.CA(), 100) as url:
        report = await doctor("web.tls", options=("--url", url))
    report.assert_failed("web.tls", "certificate is not valid")


async def test_trusted_proxies_agree(doctor: Doctor) -> None:
    """The gateway trusts a proxy that PocketBase does not trust, or everyone."""
    report = await doctor("web.trusted_proxies", GATEWAY_TRUSTED_PROXIES="10.0.0.0/8")
    report.assert_failed("web.trusted_proxies", "PocketBase trusts no header", status="warning")
    report = await doctor("web.trusted_proxies", GATEWAY_TRUSTED_PROXIES="0.0.0.0/0")
    report.assert_failed("web.trusted_proxies", "every address")


async def test_addresses_behind_a_proxy(doctor: Doctor, dashboard: Dashboard, stack: Stack) -> None:
    """PocketBase sees the proxy's address, or believes one that a client invents."""
    id, options = "web.client_address", ("--url", stack.pocketbase.url)
    (await doctor(id, options=options)).assert_ok(id)
    (await doctor(id, options=options, **_LIVE)).assert_failed(id, "as one")
    trusted = {"trustedProxy": {"headers": ["X-Forwarded-For"], "useLeftmostIP": False}}
    await dashboard.call("PATCH", "/api/settings", trusted)
    try:
        report = await doctor(id, options=options)
    finally:
        await dashboard.call("PATCH", "/api/settings", {"trustedProxy": {"headers": []}})
    report.assert_failed(id, "X-Forwarded-For")


async def test_from_outside_with_a_token(
    doctor: Doctor, superuser_token: str, stack: Stack
) -> None:
    """--url with a token checks PocketBase; what needs the machine or settings has a reason."""
    env = dict.fromkeys((*_OUTSIDE, "STRIPE_SECRET_KEY"), "")
    options = ("--url", stack.pocketbase.url)
    report = await doctor(options=options, **env, POCKETBASE_SUPERUSER_TOKEN=superuser_token)
    for id in ("collections.rules", "pocketbase.writable", "storage.disk", "hooks.version"):
        report.assert_ok(id)
    for id in ("secrets.files", "stripe.key", "webhooks.endpoint", "web.cors"):
        assert report.checks[id]["status"] == "skipped", report.checks[id]
        assert report.checks[id]["found"]
    # The gateway is not at PocketBase's address.
    report.assert_failed("gateway.reachable", "/health answers")


async def test_from_outside_without_credentials(doctor: Doctor, stack: Stack) -> None:
    """Without a superuser, only what anyone can see is checked."""
    env = {name: "" for name in stack.gateway.env if name.startswith(("POCKETBASE", "STRIPE"))}
    report = await doctor(options=("--url", stack.gateway.url), **env)
    report.assert_ok("gateway.ready")
    report.assert_ok("webhooks.signature")
    assert "POCKETBASE_SUPERUSER_EMAIL" in report.checks["collections.rules"]["found"]
    assert report.code == 0


async def test_a_wrong_token_is_refused(doctor: Doctor, stack: Stack) -> None:
    """A token in another form ends the command with a sentence."""
    options = ("--url", stack.pocketbase.url, "--token", "abc")
    assert (await doctor(options=options)).code == 1
