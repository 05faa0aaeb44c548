"""Rate limits per IP address and per user.

Requests are counted per process: with N gateways a caller has N times the limit. Stripe's
deliveries are not counted; they are routed before (`gateway.app.middleware`).
"""

from ipaddress import IPv6Address, ip_address
from math import ceil
from time import time

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette._utils import get_route_path
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import RateLimited
from gateway.http.problems import respond_to
from gateway.metrics import count_rate_limited
from gateway.settings import Settings

#: Paths that monitoring calls.
UNLIMITED = ("/health", "/ready", "/metrics")
#: The IPv6 network that a provider gives one customer, who can use any address in it.
_NETWORK_BITS = 64


class RateLimits:
    """Counts requests."""

    def __init__(self, settings: Settings) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._address = parse_many(settings.gateway_rate_limit_address)
        self._user = parse_many(settings.gateway_rate_limit_user)

    async def count_address(self, address: str) -> None:
        """Count a request from an IP address.

        Raises:
            RateLimited: the limit is exceeded.
        """
        await self._count(self._address, "address", _network_of(address))

    async def count_user(self, user: str) -> None:
        """Count a request of an authenticated user.

        Args:
            user: the id of the user's record.

        Raises:
            RateLimited: the limit is exceeded.
        """
        await self._count(self._user, "user", user)

    async def _count(self, limits: list[RateLimitItem], kind: str, caller: str) -> None:
        for limit in limits:
            if not await self._limiter.hit(limit, kind, caller):
                count_rate_limited(kind)
                ends, _ = await self._limiter.get_window_stats(limit, kind, caller)
                raise RateLimited(retry_after=max(1, ceil(ends - time())))


class RateLimitMiddleware:
    """Counts every request by its client's address."""

    def __init__(self, app: ASGIApp, limits: RateLimits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer 429."""
        if scope["type"] == "http" and get_route_path(scope) not in UNLIMITED:
            client = scope.get("client")
            try:
                await self.limits.count_address(client[0] if client else "")
            except RateLimited as error:
                await respond_to(error, scope["path"])(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _network_of(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or int(found) >> (128 - _NETWORK_BITS))
