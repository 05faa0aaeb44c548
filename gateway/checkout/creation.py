"""Asks Stripe for a Checkout session, and tells apart what may come of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from gateway.checkout.customer import is_replayed
from gateway.stripe_api import Client, Posted, translate_errors

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams


@dataclass(frozen=True, slots=True)
class Session:
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
    """Stripe remembers a failure under this key."""


class CustomerGone(Exception):
    """Stripe does not have the customer."""


async def create_session(client: Client, params: "SessionCreateParams", key: str) -> Session:
    """Create a session.

    Args:
        key: Stripe's idempotency key, "" for one that nobody else has.

    Raises:
        KeyTaken, KeyFailed, CustomerGone
        StripeUnavailable, StripeRefused
    """
    with translate_errors():
        try:
            return _read_session(await client.post("/v1/checkout/sessions", params, key))
        except stripe.InvalidRequestError as error:
            if error.code == "resource_missing" and error.param == "customer":
                _refuse_other_mode(error)
                raise CustomerGone from error
            raise
        except stripe.StripeError as error:
            if key and isinstance(error, stripe.IdempotencyError) and error.http_status == 400:
                raise KeyTaken from error
            if key and is_replayed(error) and (error.http_status or 0) >= 500:
                raise KeyFailed from error
            raise


def _read_session(answer: Posted) -> Session:
    found = answer.data
    return Session(
        id=found["id"],
        url=found["url"] or "",
        client_secret=found["client_secret"] or "",
        is_replayed=is_replayed(answer),
    )


def _refuse_other_mode(error: stripe.InvalidRequestError) -> None:
    """A key of the wrong mode must not make the gateway give up all of its customers."""
    if "similar object exists in" in str(error):
        raise error
