"""The Stripe account of the gateway's key, to distinguish its events from other accounts'.

An organization's event destination delivers the events of all its accounts. Each names its account
as ``context``; only those of the gateway's own account change rows.
"""

import asyncio
import logging

import stripe

from gateway.errors import GatewayError
from gateway.stripe_api import read_object
from gateway.stripe_api.event import Event, parse

_log = logging.getLogger(__name__)


class OwnAccount:
    """Parses events; reads the account's id from Stripe once.

    Args:
        known: the account's id, "" to ask Stripe.
        is_live: whether the key is of live mode.
    """

    def __init__(
        self, client: stripe.StripeClient, known: str = "", *, is_live: bool = False
    ) -> None:
        self._client = client
        self._asking = asyncio.Lock()
        self._is_live = is_live
        #: The account's id, "" until Stripe has been asked.
        self.known = known

    def read(self, payload: str) -> Event:
        """Parse an event without asking Stripe for the account's id.

        Raises:
            InvalidEvent
        """
        return parse(payload, self.known, only_live=self._is_live)

    async def parse(self, payload: str) -> Event:
        """Parse an event; `Event.account` is "" for events of the own account.

        Raises:
            InvalidEvent
            StripeUnavailable, StripeRefused: the event names an account, and ours is not known.
        """
        event = self.read(payload)
        if not event.context or self.known:
            return event
        await self._ask()
        return self.read(payload)

    def is_certain(self, event: Event) -> bool:
        """Whether `Event.account` is certain without asking Stripe for the own account's id."""
        return bool(self.known) or not event.context

    async def learn(self) -> None:
        """Read the id before the first event needs it; on failure, that event reads it."""
        try:
            await self._ask()
        except GatewayError as error:
            _log.info("Stripe account id unknown", extra={"reason": error.detail})

    async def _ask(self) -> None:
        async with self._asking:
            if not self.known:
                snapshot = await read_object(self._client, "/v1/account")
                self.known = str(snapshot.body["id"])
