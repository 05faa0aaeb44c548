"""Whether Stripe accepts the gateway's key, by the answers to all requests."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

from gateway.background import repeat
from gateway.errors import GatewayError, Unavailable

_log = logging.getLogger(__name__)

#: Seconds for which a missing permission counts without a further request of the kind.
_HOLDS_SECONDS = 600.0
#: Seconds between two looks at whether the key must be tried.
_PROBE_SECONDS = 60.0
#: A read that shows whether Stripe accepts the key, even if it is not permitted.
PROBE = "/v1/prices?limit=1"


class StripeKeyNotAccepted(Unavailable):
    """Stripe does not accept the gateway's key."""


class KeyCheck:
    """Tracks Stripe's answers about the key.

    A 401 counts until another answer arrives. A 403 on a write counts until a write of the same
    kind works. A 403 on a read fails only that request, so that keys with few permissions can be
    used.
    """

    def __init__(self, probe_seconds: float = _PROBE_SECONDS) -> None:
        self._probe_seconds = probe_seconds
        #: When Stripe last answered, by the monotonic clock.
        self._answered_at = float("-inf")
        self._unauthorized = False
        #: When writes of a kind were forbidden, by the monotonic clock.
        self._forbidden: dict[str, float] = {}

    def note(self, method: str, path: str, status: int) -> None:
        """Note the status of one answer."""
        if status >= 500:
            return
        self._unauthorized = status == 401
        self._answered_at = time.monotonic()
        kind = f"{method} {_folder(path)}"
        if status == 403 and method != "GET":
            self._forbidden[kind] = time.monotonic()
        elif status != 401:
            self._forbidden.pop(kind, None)

    def check(self) -> None:
        """Refuse if requests fail because of the key.

        Raises:
            StripeKeyNotAccepted
        """
        if self._unauthorized:
            raise StripeKeyNotAccepted("Stripe answers 401: STRIPE_SECRET_KEY is not valid.")
        recent = time.monotonic() - _HOLDS_SECONDS
        kinds = [kind for kind, since in self._forbidden.items() if since > recent]
        if kinds:
            raise StripeKeyNotAccepted(
                f"Stripe answers 403: STRIPE_SECRET_KEY lacks the permission for {kinds[0]}."
            )

    async def watch(self, probe: Callable[[], Awaitable[object]]) -> NoReturn:
        """Try the key at the start, while it does not work, and when there was no other request.

        A key may be revoked while no one buys, and the next request would be a purchase.
        """

        async def try_key() -> None:
            idle = time.monotonic() - self._answered_at
            if self._unauthorized or idle >= self._probe_seconds / 2:
                await probe()

        await repeat(try_key, self._probe_seconds, _log, "Stripe key check", GatewayError)


def _folder(path: str) -> str:
    """Return the resource of a permission: ``checkout`` of ``/v1/checkout/sessions``."""
    return path.partition("?")[0].removeprefix("/v1/").partition("/")[0]
