"""The HTTP session that the Stripe SDK works on.

Why aiohttp: docs/decisions/005-http-client.md.
"""

import aiohttp

from gateway.settings import Settings


def open_session(settings: Settings) -> aiohttp.ClientSession:
    """Return a session that shares connections between all calls.

    It must be made inside a running event loop and closed by the caller.
    """
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=settings.gateway_upstream_timeout, sock_connect=3),
        connector=aiohttp.TCPConnector(limit=100, keepalive_timeout=50),
        # A cookie jar would mix users.
        cookie_jar=aiohttp.DummyCookieJar(),
    )
