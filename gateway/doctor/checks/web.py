"""How browsers reach the deployment: origins, CORS, certificate, proxies, /metrics."""

import asyncio
import ssl
import time
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx2

from gateway.doctor.check import CheckResult, check, failed, ok, warning
from gateway.doctor.context import Context
from gateway.doctor.given import LOCAL_HOSTS
from gateway.doctor.units import format_number
from gateway.http_client import trust_certificates
from gateway.pocketbase.contracts.diagnosis import DIAGNOSIS
from gateway.pocketbase.contracts.route import Empty
from gateway.pocketbase.hook_call import call_hook

_MIN_DAYS, _FEW_DAYS = 3, 14
_NAME_SECONDS = 5.0
#: Origins of another site, and of sandboxed frames and files.
_FOREIGN = ("https://foreign.invalid", "null")
#: An address of documentation networks, which no client has.
_FORGED = "192.0.2.77"


@check("web.origins", "Frontends have HTTPS origins")
async def check_origins(context: Context) -> CheckResult:
    """Check GATEWAY_FRONTEND_ORIGINS in live mode: HTTPS, public, and known to name servers."""
    origins = context.given.settings.gateway_frontend_origins
    plain = [
        each
        for each in origins
        if each.startswith("http://") and urlsplit(each).hostname not in LOCAL_HOSTS
    ]
    local = [each for each in origins if urlsplit(each).hostname in LOCAL_HOSTS]
    if plain and context.given.is_live:
        return failed(
            f"{', '.join(plain)} has no HTTPS.",
            "Use https:// in GATEWAY_FRONTEND_ORIGINS; Stripe's pages return there.",
        )
    if local and context.given.is_live and not any(each.startswith("https://") for each in origins):
        return warning(
            "all of GATEWAY_FRONTEND_ORIGINS are on this machine.",
            "Add the public address of the frontend.",
        )
    unknown = [each for each in origins if context.given.is_live and not await _is_found(each)]
    if unknown:
        return warning(
            f"{', '.join(unknown)} has no address.",
            "Correct GATEWAY_FRONTEND_ORIGINS, or the domain's DNS records.",
        )
    return ok(format_number(len(origins), "origin"))


async def _is_found(origin: str) -> bool:
    """Whether name servers know the host of an origin."""
    try:
        async with asyncio.timeout(_NAME_SECONDS):
            await asyncio.get_running_loop().getaddrinfo(urlsplit(origin).hostname, None)
    except (OSError, TimeoutError):
        return False
    return True


@check("web.cors", "CORS allows the frontends, and no other origin", "gateway")
async def check_cors(context: Context) -> CheckResult:
    """Send preflight requests for each origin and for foreign ones."""
    for each in _FOREIGN:
        if await _preflight(context, each) in (each, "*"):
            return failed(
                f"a foreign origin ({each}) may call the gateway.",
                "Remove the CORS headers that a proxy adds.",
            )
    origins = context.given.settings.gateway_frontend_origins
    for each in origins:
        if await _preflight(context, f"{each}.foreign.invalid") != "":
            return failed(
                f"an origin that begins with {each} may call the gateway.",
                "Compare whole origins in the proxy's CORS rules.",
            )
    refused = [each for each in origins if await _preflight(context, each) != each]
    if refused:
        return failed(
            f"the gateway refuses {', '.join(refused)}.",
            "Restart the gateway with the present settings, and pass OPTIONS through proxies.",
        )
    return ok(f"{format_number(len(origins), 'origin')} allowed, a foreign one refused")


async def _preflight(context: Context, origin: str) -> str:
    answer = await context.clients.http.options(
        f"{context.given.gateway_url}/checkout",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    return str(answer.headers.get("access-control-allow-origin", ""))


@check("web.tls", "The certificate of the public address is valid", "public")
async def check_tls(context: Context) -> CheckResult:
    """Open a TLS connection, and read the end of the certificate."""
    parts = urlsplit(await context.facts.read_public_url())
    if parts.scheme != "https":
        report = failed if context.given.is_live else warning
        return report("the public address has no HTTPS.", "Set DOMAIN, or a proxy with TLS.")
    try:
        end = await _read_certificate_end(str(parts.hostname), parts.port or 443)
    except ssl.SSLCertVerificationError as error:
        return failed(
            f"the certificate is not valid: {error.verify_message}.",
            "Renew it; with Caddy, read its log (port 80 must be reachable).",
        )
    except OSError as error:
        # A network may not lead its own public address back to this machine.
        report = failed if context.given.is_remote else warning
        return report(
            f"the public address does not answer ({type(error).__name__}).",
            "Open port 443, and check the domain's DNS records; then run `gateway doctor --url`"
            " from another machine.",
        )
    days = (end - time.time()) / 86_400
    found = f"the certificate is valid for {days:.0f} days"
    fix = "Renew it; with Caddy, read its log: it renews 30 days before the end."
    if days < _MIN_DAYS:
        return failed(f"{found}.", fix)
    return warning(f"{found}.", fix) if days < _FEW_DAYS else ok(found)


async def _read_certificate_end(host: str, port: int) -> float:
    """Return the Unix time at which the certificate ends."""
    _, writer = await asyncio.open_connection(host, port, ssl=trust_certificates())
    try:
        certificate = writer.get_extra_info("peercert")
    finally:
        # Without waiting for the server's end of TLS.
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()
    return ssl.cert_time_to_seconds(certificate["notAfter"])


@check("web.client_address", "PocketBase sees the browser's address", "pocketbase", "hooks")
async def check_client_address(context: Context) -> CheckResult:
    """Compare the address that PocketBase counts with the connection's, also with a forged header.

    Rate limits and logs depend on it.
    """
    pocketbase = context.clients.pocketbase
    seen = (await call_hook(pocketbase, DIAGNOSIS, Empty())).client
    headers = {"X-Forwarded-For": _FORGED}
    forged = (await call_hook(pocketbase, DIAGNOSIS, Empty(), headers=headers)).client
    if context.given.is_remote and forged.address == _FORGED:
        return failed(
            "PocketBase believes an X-Forwarded-For that a client sends.",
            "Let the proxy replace that header, and do not open PocketBase's port to others.",
        )
    if context.given.is_remote and seen.address == seen.peer and ip_address(seen.peer).is_private:
        if ip_address(seen.peer).is_loopback and not context.given.is_live:
            return ok("there is no proxy")
        return failed(
            "PocketBase counts all visitors as one: it sees the proxy's address.",
            "Set the trusted proxy headers in PocketBase's Settings, Application, to the proxy's.",
        )
    if context.given.is_remote:
        return ok("the browser's address arrives")
    if seen.headers:
        return ok(f"PocketBase trusts {', '.join(seen.headers)}")
    return ok("there is no proxy")


@check("web.trusted_proxies", "The gateway trusts the proxy in front of it", "pocketbase", "hooks")
async def check_trusted_proxies(context: Context) -> CheckResult:
    """Compare the proxies that the gateway trusts with those that PocketBase trusts."""
    trusted = context.given.settings.gateway_trusted_proxies
    if any(each.endswith("/0") for each in trusted):
        return failed(
            "GATEWAY_TRUSTED_PROXIES trusts every address.",
            "Name only the networks of your proxies: clients could invent addresses.",
        )
    headers = (await context.facts.read_diagnosis()).client.headers
    if headers and not trusted:
        return warning(
            "PocketBase trusts a proxy's header, but GATEWAY_TRUSTED_PROXIES is empty.",
            "Set it to the proxy's network, or all visitors share one rate limit.",
        )
    if trusted and not headers:
        return warning(
            "GATEWAY_TRUSTED_PROXIES is set, but PocketBase trusts no header.",
            "Set the trusted proxy headers in PocketBase's Settings, Application.",
        )
    if trusted:
        return ok("PocketBase and the gateway both trust a proxy")
    return ok("neither PocketBase nor the gateway trusts a proxy")


@check("web.metrics", "/metrics is open for its token alone", "gateway")
async def check_metrics(context: Context) -> CheckResult:
    """Read /metrics without the token, and with it."""
    url = f"{context.given.gateway_url}/metrics"
    if (await context.clients.http.get(url)).is_success:
        return failed("/metrics is readable without a token.", "Close that path in the proxy.")
    token = context.given.settings.gateway_metrics_token
    if token is None:
        if context.given.is_live:
            return warning(
                "/metrics is off: alerts have no data.",
                "Set GATEWAY_METRICS_TOKEN (docs/operations.md).",
            )
        return ok("/metrics is off")
    given = {"Authorization": f"Bearer {token.get_secret_value()}"}
    answer: httpx2.Response = await context.clients.http.get(url, headers=given)
    if not answer.is_success:
        return failed(
            f"/metrics answers {answer.status_code} to GATEWAY_METRICS_TOKEN.",
            "Restart the gateway with the present settings (`docker compose up -d`).",
        )
    return ok("/metrics accepts its token")
