"""A browser lets only the frontends' own pages call: CORS."""

from collections.abc import Callable

import httpx
import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from gateway.settings import SettingsError, read_settings
from tests.frontend import User
from tests.shop import CANCEL, ORIGIN, Shop, build_order

_PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
_FOREIGN = [
    "http://localhost:3001",
    "https://localhost:3000",
    "http://localhost:3000.evil.com",
    "http://evil.com",
    "null",
    "http://localhost",
]


async def test_an_allowed_page_may_call(user: User, shop: Shop) -> None:
    """The preflight allows POST with a token, and the answer may be read by the page."""
    preflight = await shop.http.options(
        f"{shop.url}/checkout", headers=_PREFLIGHT | {"Origin": ORIGIN}
    )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in preflight.headers["access-control-allow-methods"]
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert "authorization" in allowed
    assert "content-type" in allowed
    assert "origin" in preflight.headers["vary"].lower()

    answer = await shop.http.post(
        f"{shop.url}/checkout",
        json=build_order("pro_monthly"),
        headers=user.bearer | {"Origin": ORIGIN},
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/checkout", {}, 400),
        ("/checkout", build_order("price_unknown"), 400),
        ("/portal", {"return_url": CANCEL}, 404),
        ("/nowhere", {}, 404),
    ],
)
async def test_an_allowed_page_can_read_why_it_was_refused(
    path: str, body: dict[str, str], status: int, user_without_purchase: User, shop: Shop
) -> None:
    """Problem documents carry the CORS headers too."""
    headers = user_without_purchase.bearer | {"Origin": ORIGIN}
    answer = await shop.http.post(shop.url + path, json=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("origin", _FOREIGN)
async def test_a_foreign_page_gets_no_leave(origin: str, shop: Shop) -> None:
    """Neither the preflight nor the answer allows another origin."""
    preflight = await shop.http.options(
        f"{shop.url}/checkout", headers=_PREFLIGHT | {"Origin": origin}
    )
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers
    answer = await shop.http.get(f"{shop.url}/health", headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers


async def _ask(http: httpx.AsyncClient, url: str, origin: str, headers: str) -> httpx.Response:
    """Send a preflight for a POST with these headers."""
    wanted = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": headers,
    }
    return await http.options(f"{url}/checkout", headers=wanted)


@pytest.mark.parametrize(
    "header",
    ["sentry-trace", "baggage", "traceparent", "tracestate", "x-request-id", "x-datadog-trace-id"],
)
async def test_headers_of_tracing_are_allowed(header: str, shop: Shop) -> None:
    """A frontend with Sentry or OpenTelemetry can call without a setting."""
    wanted = f"authorization,content-type,idempotency-key,{header}"
    answer = await _ask(shop.http, shop.url, ORIGIN, wanted)
    assert answer.status_code == 200, answer.text
    assert header in answer.headers["access-control-allow-headers"].lower()


async def test_the_request_id_can_be_read_by_the_page(user: User, shop: Shop) -> None:
    """It is exposed, with successes and errors alike."""
    for path in ("/health", "/nowhere"):
        headers = {"Origin": ORIGIN, "X-Request-Id": "from-the-page"}
        answer = await shop.http.get(shop.url + path, headers=headers)
        assert "x-request-id" in answer.headers["access-control-expose-headers"].lower()
        assert answer.headers["x-request-id"] == "from-the-page"


_WEBVIEWS = (
    "capacitor://localhost",
    "ionic://localhost",
    "tauri://localhost",
    "app://-",
    "http://localhost",
    "https://localhost",
)


async def test_settings_allow_webviews_and_further_headers(
    start_gateway: Callable[..., GatewayProcess], http: httpx.AsyncClient, user: User
) -> None:
    """Apps in a WebView call from origins of schemes of their own."""
    gateway = start_gateway(
        GATEWAY_FRONTEND_ORIGINS=f"{ORIGIN},{','.join(_WEBVIEWS)}",
        GATEWAY_CORS_HEADERS="X-App-Version, x-tenant",
    )
    for origin in _WEBVIEWS:
        answer = await _ask(http, gateway.url, origin, "authorization,x-app-version,x-tenant")
        assert answer.status_code == 200, (origin, answer.text)
        assert answer.headers["access-control-allow-origin"] == origin
        answer = await http.post(
            f"{gateway.url}/checkout",
            json=build_order("pro_monthly"),
            headers=user.bearer | {"Origin": origin},
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["access-control-allow-origin"] == origin
    for origin in ("capacitor://localhost.evil.com", "capacitor://evil", "ionic://localhost:1"):
        assert (await _ask(http, gateway.url, origin, "authorization")).status_code == 400
    order = build_order("pro_monthly", success_url="capacitor://localhost/thanks")
    answer = await http.post(f"{gateway.url}/checkout", json=order, headers=user.bearer)
    assert answer.status_code == 400
    assert "success_url" in answer.json()["data"]


@pytest.mark.parametrize(
    "origin",
    [
        "javascript://localhost",
        "file://localhost",
        "data:text",
        "null",
        "*",
        "capacitor://",
        "localhost",
        "capacitor://localhost/path",
        "http://localhost:99999",
    ],
)
def test_what_is_no_origin_is_refused_at_the_start(
    origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence names the variable."""
    given = {
        "pocketbase_superuser_email": "root@example.com",
        "pocketbase_superuser_password": "secret",
        "stripe_secret_key": "sk_test_1",
        "stripe_webhook_secrets": "whsec_1",
    }
    with pytest.raises(SettingsError, match="GATEWAY_FRONTEND_ORIGINS"):
        read_settings(**given, gateway_frontend_origins=origin)
    with pytest.raises(SettingsError, match="GATEWAY_CORS_HEADERS"):
        read_settings(**given, gateway_frontend_origins=ORIGIN, gateway_cors_headers="a b")


async def test_refused_pages_are_logged(stack: Stack, shop: Shop) -> None:
    """The log names the origin and what to set, on one line and cut short."""
    origin = "http://forgotten.example" + "x" * 300
    await _ask(shop.http, shop.url, origin, "authorization")
    await shop.http.get(f"{shop.url}/health", headers={"Origin": "http://also.example"})
    await _ask(shop.http, shop.url, ORIGIN, "x-unknown")
    lines = stack.gateway.log.read_text().splitlines()
    for part in ("http://forgotten.example", "http://also.example", "x-unknown"):
        [line] = [line for line in lines if part in line]
        assert "level=warning" in line
        assert "GATEWAY_FRONTEND_ORIGINS" in line
        assert len(line) < 600
