"""How the Stripe SDK's requests travel: over connections of our own.

Why not by one of the SDK's clients: docs/decisions/005-http-client.md.
"""

import asyncio
from collections.abc import Awaitable, Mapping

import stripe
from starlette.datastructures import Headers

from gateway.connections import Connections
from gateway.stripe_api.key_check import KeyCheck

#: An answer's body, status and headers, as the SDK takes them.
RawAnswer = tuple[bytes, int, Mapping[str, str]]


class Transport(stripe.HTTPClient):
    """Sends requests to Stripe's API; the SDK decides which of them it sends again, and when."""

    name = "gateway"

    def __init__(self, origin: str, timeout: float) -> None:
        """Take where the API is, and the seconds that each answer may take."""
        super().__init__()
        self._origin = origin
        #: Tracks the answers about the key.
        self.key_check = KeyCheck()
        headers = {"Accept-Encoding": "identity"}
        # The SDK's bundle too: not every system has authorities where Python looks for them.
        self._connections = Connections(
            origin, headers, timeout, certificates=stripe.ca_bundle_path
        )

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None = None
    ) -> RawAnswer:
        """Send one request of the SDK.

        Raises:
            stripe.APIConnectionError: there was no answer; the cause says why.
        """
        path = url.removeprefix(self._origin)
        body = post_data.encode() if post_data is not None else None
        try:
            # The SDK gives each POST an idempotency key: Stripe acts on it once.
            answer = await self._connections.request(
                method.upper(), path, headers, body, is_repeatable=True
            )
        except OSError as error:
            raise stripe.APIConnectionError(  # type: ignore[no-untyped-call]
                "Stripe did not answer.", should_retry=True
            ) from error
        self.key_check.note(method.upper(), path, answer.status)
        return answer.body, answer.status, Headers(raw=answer.headers)

    def sleep_async(self, secs: float) -> Awaitable[None]:
        """Wait before a request is sent again."""
        return asyncio.sleep(secs)

    async def close_async(self) -> None:
        """Close the connections that are idle."""
        self._connections.close()
