"""The Stripe SDK's httpx client, on the gateway's own settings of it."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx2
import stripe

from gateway.http_client import open_client, trust_certificates
from gateway.metrics import measure_call
from gateway.stripe_api.key_check import KeyCheck


class StripeHttpClient(stripe.HTTPXClient):
    """Limits the time of each answer, and reports its status to a `KeyCheck`.

    Requests go through the proxy that HTTPS_PROXY names, if any. The SDK decides which requests
    are retried, and when.
    """

    def __init__(self, timeout: float, key_check: KeyCheck) -> None:
        """Take the seconds that each answer may take."""
        # The SDK has no public parameter for either, as it has for aiohttp: it would import httpx
        # itself. Its own client trusts the SDK's authorities alone, which excludes those of a
        # company's proxy, and closes connections that are idle for five seconds.
        super().__init__(timeout=None, _lib=httpx2)
        certificates = trust_certificates(stripe.ca_bundle_path)
        self._client_async = open_client(trust_env=True, certificates=certificates)
        self._seconds = timeout
        self._key_check = key_check

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one request of the SDK.

        Raises:
            stripe.APIConnectionError: there was no answer; its cause has the reason.
        """
        try:
            with measure_call("Stripe", method.upper(), urlsplit(url).path) as call:
                async with asyncio.timeout(self._seconds):
                    answer = await super().request_async(method, url, headers, post_data)
                call.status = answer[1]
        except TimeoutError as error:
            raise stripe.APIConnectionError(  # type: ignore[no-untyped-call]
                "Stripe did not answer in time.", should_retry=True
            ) from error
        parts = urlsplit(url)
        self._key_check.note(method.upper(), f"{parts.path}?{parts.query}", answer[1])
        return answer
