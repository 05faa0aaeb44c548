"""Creates a Checkout Session, and distinguishes its failures."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from gateway.customers.mark_deleted import CustomerGone
from gateway.errors import (
    GatewayError,
    IdempotencyKeyReused,
    StripeFailed,
    StripeRefused,
)
from gateway.stripe_api import RETRIES, is_replayed, translate_errors

if TYPE_CHECKING:
    from stripe import RequestOptions
    from stripe.params.checkout import SessionCreateParams

#: Keys that are tried in place of one under which Stripe stores a failure.
_MORE_KEYS = 8


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """A Checkout session, as far as it is needed to pay in it."""

    id: str
    #: Of Stripe's page, "" where there is none.
    url: str
    #: For Stripe.js, "" for Stripe's page.
    client_secret: str
    #: Whether Stripe answered from memory: the session may be over.
    is_replayed: bool


class KeyTaken(Exception):
    """Stripe has an answer under this key already, and it is none to this request."""


class KeyFailed(KeyTaken):
    """Stripe repeats a stored failure or refusal under this key, as it does for a day."""

    def __init__(self, error: GatewayError) -> None:
        super().__init__()
        #: What is stored.
        self.error = error


async def create_session(
    client: stripe.StripeClient, params: "SessionCreateParams", key: str, retries: int = RETRIES
) -> CheckoutSession:
    """Create a session under one idempotency key.

    Args:
        key: Stripe's idempotency key, "" for one that nobody else has.
        retries: how often the request is sent again if it failed on the way.

    Raises:
        KeyTaken, KeyFailed, CustomerGone
        StripeUnavailable, StripeRefused
    """
    options: RequestOptions = {"max_network_retries": retries}
    if key:
        options["idempotency_key"] = key
    try:
        with translate_errors():
            created = await client.v1.checkout.sessions.create_async(params, options)
    except IdempotencyKeyReused as error:
        raise KeyTaken from error
    except (StripeFailed, StripeRefused) as error:
        if error.stripe.names_missing_customer:
            raise CustomerGone from error
        if key and error.stripe.is_replayed:
            raise KeyFailed(error) from error
        raise
    return _read_session(created)


async def create_one_session(
    client: stripe.StripeClient, params: "SessionCreateParams", key: str
) -> CheckoutSession:
    """Create one session for a caller's key, however often the request is sent.

    A stored failure made no session, so the next key of a fixed list is tried: every request goes
    through the same list, and the first that succeeded is the answer to all.

    Raises:
        KeyTaken: the key came with other parameters.
        CustomerGone, StripeUnavailable, StripeRefused
    """
    stored: KeyFailed | None = None
    for each in _list_keys(key):
        # A new failure that is repeated looks like a stored one: only the first key can have one.
        retries = 0 if stored else RETRIES
        try:
            return await create_session(client, params, each, retries)
        except KeyFailed as failed:
            stored = failed
    raise stored.error if stored else StripeFailed


def _list_keys(key: str) -> Iterator[str]:
    yield key
    if key:
        yield from (f"{key}-{number}" for number in range(2, _MORE_KEYS + 2))
        # After that many failures, one session per minute.
        yield f"{key}-at-{int(time.time()) // 60}"


def _read_session(created: stripe.checkout.Session) -> CheckoutSession:
    answer = created.last_response
    return CheckoutSession(
        id=created.id,
        url=created.url or "",
        client_secret=created.client_secret or "",
        is_replayed=answer is not None and is_replayed(answer.headers),
    )
