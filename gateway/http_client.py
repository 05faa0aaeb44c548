"""Opens the HTTP clients for PocketBase and Stripe (docs/decisions/030-http-clients.md)."""

import logging
import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

#: Maximum time to open a connection.
CONNECT_SECONDS = 3.0
#: Seconds after which an idle connection is closed; PocketBase closes it after 90.
KEEP_ALIVE_SECONDS = 50.0
MAX_CONNECTIONS = 100


def open_client(
    *,
    headers: Mapping[str, str] | None = None,
    timeout: httpx2.Timeout | None = None,
    max_connections: int | None = MAX_CONNECTIONS,
    trust_env: bool = False,
    certificates: ssl.SSLContext | None = None,
) -> httpx2.AsyncClient:
    """Return a client without redirects and cookies; the caller closes it.

    Args:
        timeout: by default only connecting has a timeout; the caller limits the rest.
        max_connections: None for no limit.
        trust_env: whether HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY apply.
        certificates: the trusted authorities, by default the system's.
    """
    # Both log each request's URL, and a query may contain personal data.
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx2.AsyncClient(
        trust_env=trust_env,
        verify=certificates or trust_certificates(),
        # The clients are shared: a cookie would be sent with other users' requests.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        headers={"Accept-Encoding": "identity", **(headers or {})},
        timeout=timeout or httpx2.Timeout(None, connect=CONNECT_SECONDS),
        limits=httpx2.Limits(
            max_connections=max_connections,
            max_keepalive_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
        ),
    )


def trust_certificates(further: str | None = None) -> ssl.SSLContext:
    """Return the system's authorities (or those of SSL_CERT_FILE) and those of a further file."""
    context = ssl.create_default_context()
    if further:
        context.load_verify_locations(further)
    return context
