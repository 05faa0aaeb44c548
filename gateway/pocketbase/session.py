"""The one place where the product's HTTP client is made.

Why aiohttp: docs/decisions/005-http-client.md.
"""

import aiohttp

from gateway import __version__
from gateway.settings import Settings

#: One constant name: PocketBase mails an alert when a superuser logs in with a new User-Agent.
USER_AGENT = f"pocketbase-gateway/{__version__.split('.')[0]}"


def open_session(settings: Settings) -> aiohttp.ClientSession:
    """Return a session that shares connections between all calls to PocketBase and Stripe.

    It must be made inside a running event loop and closed by the caller.
    """
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=settings.gateway_upstream_timeout, sock_connect=3),
        headers={"User-Agent": USER_AGENT},
        connector=aiohttp.TCPConnector(limit=100, keepalive_timeout=50),
        # A cookie jar would mix users.
        cookie_jar=aiohttp.DummyCookieJar(),
    )
