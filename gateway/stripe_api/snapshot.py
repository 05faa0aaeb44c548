"""Reads an object from Stripe together with the span of time in which it was in that state."""

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import stripe

from gateway.dates import http_date_to_unix
from gateway.errors import NotFound, StripeFailure
from gateway.stripe_api.client import translate_errors
from gateway.stripe_api.sdk_errors import read_answer

#: Seconds by which Stripe's machines may differ in their clocks.
_SKEW_SECONDS = 1


class Missing(StripeFailure, NotFound):
    """Stripe does not have this object."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Stripe's answer, and the time of the read by Stripe's clock.

    Events created before ``as_of`` are in it, those created after ``until`` are not.
    """

    body: dict[str, Any]
    as_of: int
    until: int


#: Writes the row of an object that was just read, as its webhook would; returns the object as it
#: was last read. `Services` holds one: only the webhooks know the rows.
SyncSnapshot = Callable[[Snapshot], Awaitable[dict[str, Any]]]


async def read_object(client: stripe.StripeClient, path: str, version: str = "") -> Snapshot:
    """GET one path of Stripe's API.

    Args:
        version: the API version that shapes the answer, by default the SDK's.

    Raises:
        Missing: Stripe answered 404.
        StripeUnavailable, StripeRefused: see `translate_errors`.
    """
    started = time.monotonic()
    with translate_errors():
        try:
            options = {"stripe_version": version} if version else {}
            response = await client.raw_request_async("get", path, **options)
        except stripe.InvalidRequestError as error:
            if error.http_status == 404:
                raise Missing().of(read_answer(error)) from error
            raise
    elapsed = time.monotonic() - started
    answered = _answered_at(response.headers)
    data: Any = response.data
    return Snapshot(
        body=dict(data),
        as_of=math.floor(answered - elapsed) - _SKEW_SECONDS,
        # The header drops the fraction of the second in which Stripe answered.
        until=answered + _SKEW_SECONDS,
    )


def _answered_at(headers: Any) -> int:
    date = headers.get("Date")
    return http_date_to_unix(date) if date else int(time.time())
