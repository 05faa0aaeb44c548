"""Security headers on every response, unless the endpoint has set its own.

OWASP's HTTP Headers Cheat Sheet and REST Security Cheat Sheet explain each. HSTS is the proxy's,
because only it knows whether the browser uses TLS.
"""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The gateway serves data, which no browser renders.
_POLICY = b"default-src 'none'; frame-ancestors 'none'"
#: A page of a team's endpoint may load scripts and styles as the team decides.
_PAGE_POLICY = b"frame-ancestors 'none'"
_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    # Readable with CORS alone; other sites can't embed a response as an image or a script.
    (b"cross-origin-resource-policy", b"same-site"),
    (b"content-security-policy", _POLICY),
    (b"cache-control", b"no-store"),
)


class SecurityHeadersMiddleware:
    """Adds the headers that a response does not have."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = complete_headers(message.get("headers", ()))
            await send(message)

        await self._app(scope, receive, send_on)


def complete_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers with those that are missing.

    A response with an ETag is a file, which browsers may keep and revalidate.
    """
    complete = list(headers)
    found = {name.lower(): value for name, value in complete}
    for name, value in _HEADERS:
        if name in found or (name == b"cache-control" and b"etag" in found):
            continue
        if value is _POLICY and found.get(b"content-type", b"").startswith(b"text/html"):
            value = _PAGE_POLICY
        complete.append((name, value))
    return complete
