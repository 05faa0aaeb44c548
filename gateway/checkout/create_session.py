"""Creates a Checkout Session at Stripe, and distinguishes the failures."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from gateway.customers.mark_deleted import CustomerGone
from gateway.errors import GatewayError, IdempotencyKeyReused, StripeFailed, StripeRefused
from gateway.stripe_api import RETRIES, is_replayed, read_object, translate_errors
from gateway.stripe_api.fields import as_dict

if TYPE_CHECKING:
    from stripe import RequestOptions
    from stripe.params.checkout import SessionCreateParams

#: Further keys to try if Stripe has stored a failure under the first.
_MAX_FURTHER_KEYS = 8


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """A new Checkout Session, as far as the client needs it."""

    id: str
    #: The address of Stripe's page, "" for the other ui_modes.
    url: str
    #: For Stripe.js, "" for Stripe's page.
    client_secret: str
    #: Whether this is Stripe's stored answer to an earlier request: the session may have ended.
    is_replayed: bool


class KeyTaken(Exception):
    """The idempotency key has an answer at Stripe that does not fit this request."""

    def __init__(self, failure: GatewayError | None = None) -> None:
        super().__init__()
        #: The failure or refusal that Stripe repeats for a day under this key; None if the key was
        #: used with other parameters or its session has ended.
        self.failure = failure


async def create_session(
    client: stripe.StripeClient, params: "SessionCreateParams", key: str, retries: int = RETRIES
) -> CheckoutSession:
    """Create a session under one idempotency key.

    Args:
        key: Stripe's idempotency key, "" for a random one.
        retries: how often the request is sent again after a connection error or a 5xx.

    Raises:
        KeyTaken, CustomerGone
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
            raise KeyTaken(error) from error
        raise
    return _read_session(created)


async def create_one_session(
    client: stripe.StripeClient, params: "SessionCreateParams", key: str
) -> CheckoutSession:
    """Create one session for a caller's key, however often the request is sent.

    A stored failure created no session, so the next key of a fixed list is tried. All requests use
    the same list, so all return the session of the first key that succeeded.

    Args:
        key: "" to create a session per request.

    Raises:
        IdempotencyKeyReused: the key came with other parameters.
        CustomerGone, StripeUnavailable, StripeRefused
    """
    failure: GatewayError | None = None
    for each in _list_keys(key):
        # A retried new failure looks like a stored one, and only the first key may have stored one.
        retries = 0 if failure else RETRIES
        try:
            return await create_session(client, params, each, retries)
        except KeyTaken as taken:
            if taken.failure is None:
                raise IdempotencyKeyReused from taken
            failure = taken.failure
    raise failure or StripeFailed


async def require_open(client: stripe.StripeClient, session_id: str) -> None:
    """Check a replayed session: Stripe's stored answer shows it as it was when it was created.

    Raises:
        KeyTaken: the session is complete or expired.
        CustomerGone: its customer was deleted; the session is expired now.
        StripeUnavailable, StripeRefused
    """
    path = f"/v1/checkout/sessions/{session_id}?expand[]=customer"
    session = (await read_object(client, path)).body
    if session["status"] != "open":
        raise KeyTaken
    if as_dict(session["customer"]).get("deleted"):
        with suppress(StripeRefused), translate_errors():
            await client.v1.checkout.sessions.expire_async(session_id)
        raise CustomerGone


def _list_keys(key: str) -> Iterator[str]:
    yield key
    if key:
        yield from (f"{key}-{number}" for number in range(2, _MAX_FURTHER_KEYS + 2))
        # After that many failures, one session per minute.
        yield f"{key}-at-{int(time.time()) // 60}"


def _read_session(created: stripe.checkout.Session) -> CheckoutSession:
    response = created.last_response
    return CheckoutSession(
        id=created.id,
        url=created.url or "",
        client_secret=created.client_secret or "",
        is_replayed=response is not None and is_replayed(response.headers),
    )
