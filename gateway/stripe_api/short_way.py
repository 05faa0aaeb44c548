"""A shorter way to Stripe beside the SDK's, for the one request that every purchase waits for.

The SDK spends a third of a millisecond on each request: on headers that are the same every time, on
lines for a log that is closed, on an ordered answer. What is sent again, and what a refusal means,
is still the SDK's to say (docs/decisions/018-short-ways-of-a-purchase.md).
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import orjson
import stripe

from gateway.stripe_api.form import encode_form
from gateway.stripe_api.transport import RawAnswer, Transport

#: How often a request is sent again.
RETRIES = 2


@dataclass(frozen=True, slots=True)
class Posted:
    """Stripe's answer to what was posted."""

    data: Any
    headers: Mapping[str, str]


class Client(stripe.StripeClient):
    """The SDK's client.

    A request that failed on the way is sent again up to twice, with the same idempotency key.
    """

    def __init__(self, secret_key: str, origin: str, transport: Transport) -> None:
        super().__init__(
            secret_key,
            http_client=transport,
            base_addresses={"api": origin},
            max_network_retries=RETRIES,
        )
        self._secret_key = secret_key
        self._origin = origin
        self._transport = transport
        self.key_check = transport.key_check
        self._headers = {
            "Authorization": f"Bearer {secret_key}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Stripe-Version": stripe.api_version,
            "User-Agent": f"Stripe/v1 PythonBindings/{stripe.VERSION}",
        }

    async def post(
        self, path: str, params: Mapping[str, Any], key: str = "", retries: int = RETRIES
    ) -> Posted:
        """Post a form, as `raw_request_async` does.

        Args:
            key: the idempotency key, "" for one that nobody else has.
            retries: how often it is sent again if it failed on the way.

        Raises:
            stripe.StripeError
        """
        headers = {**self._headers, "Idempotency-Key": key or token_hex(16)}
        answer = await self._transport.request_with_retries_async(
            "post", self._origin + path, headers, encode_form(params), retries
        )
        body, status, found = answer
        if status == 200:
            with suppress(ValueError):
                return Posted(orjson.loads(body), found)
        return await self._show(path, answer)

    async def _show(self, path: str, answer: RawAnswer) -> Posted:
        """Let the SDK say what an answer means that is no object."""
        client = stripe.StripeClient(self._secret_key, http_client=_Shown(answer))
        shown = await client.raw_request_async("post", path, max_network_retries=0)
        return Posted(shown.data, shown.headers)


class _Shown(stripe.HTTPClient):
    """Has an answer already."""

    name = "shown"

    def __init__(self, answer: RawAnswer) -> None:
        super().__init__()
        self._answer = answer

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: object = None
    ) -> RawAnswer:
        return self._answer
