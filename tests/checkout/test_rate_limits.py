"""How often one may ask: by user, by address, and never for Stripe."""

from collections.abc import Callable

import httpx
import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from gateway.settings import SettingsError, read_settings
from tests.delivery import Sender
from tests.frontend import Frontend, User
from tests.problem import read_problem
from tests.shop import ORIGIN, Shop, build_order

_ORDER = build_order("lifetime")


async def _ask(shop: Shop, user: User, **headers: str) -> httpx.Response:
    return await shop.http.post(f"{shop.url}/checkout", json=_ORDER, headers=user.bearer | headers)


async def test_a_user_has_a_limit(
    user: User,
    frontend: Frontend,
    start_gateway: Callable[..., GatewayProcess],
    http: httpx.AsyncClient,
) -> None:
    """Beyond it 429 says when to come again, with a new token too; other users go on.

    The body has the header's seconds, for clients that see no headers.
    """
    shop = Shop(http, start_gateway(GATEWAY_RATE_LIMIT_USER="3/minute").url)
    for _ in range(3):
        assert (await _ask(shop, user)).status_code == 200
    token = await frontend.log_in(user.email, user.password)
    answer = await _ask(shop, User(user.id, user.email, user.password, token), Origin=ORIGIN)
    problem = read_problem(answer, 429, "rate-limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert problem["retry_after"] == int(answer.headers["retry-after"])
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-expose-headers"] == "Retry-After, X-Request-Id"
    assert (await _ask(shop, await frontend.sign_up())).status_code == 200


async def test_a_forged_token_uses_up_nobodys_limit(
    user: User, start_gateway: Callable[..., GatewayProcess], http: httpx.AsyncClient
) -> None:
    """Only requests with a token that PocketBase accepts count for a user."""
    shop = Shop(http, start_gateway(GATEWAY_RATE_LIMIT_USER="2/minute").url)
    forged = User(user.id, user.email, user.password, f"{user.token[:-2]}xx")
    for _ in range(4):
        assert (await _ask(shop, forged)).status_code == 401
    assert (await _ask(shop, user)).status_code == 200


async def test_an_address_has_a_limit(
    user: User, start_gateway: Callable[..., GatewayProcess], http: httpx.AsyncClient
) -> None:
    """The limit counts before any upstream call, and a forged address header is ignored."""
    shop = Shop(http, start_gateway(GATEWAY_RATE_LIMIT_ADDRESS="3/minute").url)
    answers = [await _ask(shop, user, **{"X-Forwarded-For": f"10.0.0.{i}"}) for i in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    read_problem(answers[-1], 429, "rate-limited")
    assert (await http.get(f"{shop.url}/health")).status_code == 200


async def test_a_trusted_proxy_is_believed(
    user: User, start_gateway: Callable[..., GatewayProcess], http: httpx.AsyncClient
) -> None:
    """Behind a proxy that is named, each caller has a limit; what they forge in front has none."""
    gateway = start_gateway(
        GATEWAY_RATE_LIMIT_ADDRESS="2/minute", GATEWAY_TRUSTED_PROXIES="127.0.0.0/8"
    )
    shop = Shop(http, gateway.url)
    for caller in ("10.0.0.1", "10.0.0.2"):
        seen = [
            (await _ask(shop, user, **{"X-Forwarded-For": f"1.2.3.{i}, {caller}"})).status_code
            for i in range(3)
        ]
        assert seen == [200, 200, 429]


async def test_a_network_of_addresses_is_one_caller(
    user: User, start_gateway: Callable[..., GatewayProcess], http: httpx.AsyncClient
) -> None:
    """Addresses of one IPv6 network count as one caller."""
    gateway = start_gateway(
        GATEWAY_RATE_LIMIT_ADDRESS="2/minute", GATEWAY_TRUSTED_PROXIES="127.0.0.1"
    )
    shop = Shop(http, gateway.url)
    callers = ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1")
    seen = [
        (await _ask(shop, user, **{"X-Forwarded-For": caller})).status_code for caller in callers
    ]
    assert seen == [200, 200, 429, 200]


async def test_stripe_is_never_held_up(
    stack: Stack, start_gateway: Callable[..., GatewayProcess], http: httpx.AsyncClient
) -> None:
    """Deliveries are not counted, however many come."""
    gateway = start_gateway(GATEWAY_RATE_LIMIT_ADDRESS="1/hour")
    sender = Sender(http, gateway.url, stack.plan.stripe.webhook_secrets[0])
    answers = [await sender.http.post(f"{gateway.url}/webhooks/stripe") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {400}


@pytest.mark.parametrize(
    "setting",
    [{"gateway_rate_limit_user": "often"}, {"gateway_trusted_proxies": "everybody"}],
)
def test_a_wrong_setting_is_named(setting: dict[str, str]) -> None:
    """An invalid rate or network ends the start."""
    [name] = setting
    with pytest.raises(SettingsError, match=f"{name.upper()} is wrong"):
        read_settings(**setting)
