"""Facts that several checks of `gateway doctor` need; each is read once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2

from gateway.doctor.clients import Clients
from gateway.doctor.given import LOCAL_HOSTS, Given, Skipped
from gateway.errors import PocketBaseUnavailable, StripeKeyRefused
from gateway.health.readiness import read_version
from gateway.pocketbase.contracts.diagnosis import DIAGNOSIS, Diagnosis
from gateway.pocketbase.contracts.health import VersionAnswer
from gateway.pocketbase.contracts.route import Empty
from gateway.pocketbase.hook_call import call_hook
from gateway.rows import Json
from gateway.stripe_api import PROBE, Snapshot, read_object

T = TypeVar("T")

_SIGN_IN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Facts:
    """Reads facts; an error is shared by all checks that need the fact."""

    given: Given
    clients: Clients
    _read: dict[str, "asyncio.Future[Any]"] = field(default_factory=dict)

    async def share(self, name: str, read: Callable[[], Awaitable[T]]) -> T:
        """Return a fact; only the first call with its name reads it."""
        if name not in self._read:
            self._read[name] = asyncio.ensure_future(_await(read))
        found: T = await asyncio.shield(self._read[name])
        return found

    async def close(self) -> None:
        """End the reads that no check waits for any more."""
        for fact in self._read.values():
            fact.cancel()
        await asyncio.gather(*self._read.values(), return_exceptions=True)

    async def sign_in(self) -> None:
        """Sign in to PocketBase; a sign-in writes a row, so it waits for a locked database.

        Raises:
            PocketBaseUnavailable: it does not answer in time, or refuses the superuser.
        """
        try:
            async with asyncio.timeout(_SIGN_IN_SECONDS):
                await self.share("token", lambda: self.clients.pocketbase.session.get_token())
        except TimeoutError as error:
            raise PocketBaseUnavailable(
                f"PocketBase did not accept a sign-in in {_SIGN_IN_SECONDS:g} s: it is overloaded,"
                " or another process (a backup, a shell) locks its database."
            ) from error

    async def read_version(self) -> VersionAnswer:
        """Return the hooks, migrations and names of PocketBase."""
        return await self.share("version", lambda: read_version(self.clients.pocketbase))

    async def read_diagnosis(self) -> Diagnosis:
        """Return the facts that only PocketBase sees."""
        return await self.share("diagnosis", self._diagnose)

    async def _diagnose(self) -> Diagnosis:
        return await call_hook(self.clients.pocketbase, DIAGNOSIS, Empty())

    async def read_app_settings(self) -> Json:
        """Return PocketBase's own settings."""
        return await self.share("settings", lambda: self.clients.administration.settings.get())

    async def read_health(self) -> httpx2.Response:
        """Return the answer of /health."""
        url = f"{self.given.gateway_url}/health"
        return await self.share("health", lambda: self.clients.http.get(url))

    async def is_gateway_up(self) -> bool:
        """Whether the gateway answers /health; other programs may answer it with a page.

        Raises:
            httpx2.HTTPError: no answer.
        """
        answer = await self.read_health()
        return answer.is_success and read_members(answer).get("status") == "ok"

    async def read_stripe(self) -> Snapshot:
        """Return a list of one price, which any key may try to read.

        Raises:
            StripeKeyNotAccepted: Stripe does not know the key.
            StripeUnavailable: Stripe does not answer.
        """
        return await self.share("stripe", self._probe_stripe)

    async def _probe_stripe(self) -> Snapshot:
        try:
            return await read_object(self.clients.stripe, PROBE)
        except StripeKeyRefused:
            self.clients.key_check.check()
            # The key is known; stripe.permissions names what it lacks.
            return Snapshot({}, as_of=int(time.time()), until=int(time.time()) + 1)

    async def read_public_url(self) -> str:
        """Return the address that customers use: the given one, or PocketBase's application URL.

        Raises:
            Skipped: there is none.
        """
        if self.given.url:
            return self.given.url
        url = str((await self.read_app_settings())["meta"]["appURL"]).rstrip("/")
        if urlsplit(url).hostname in (None, *LOCAL_HOSTS):
            raise Skipped("PocketBase's application URL is not a public address")
        return url


def read_members(answer: httpx2.Response) -> dict[str, Any]:
    """Return the members of a JSON answer; none if the body is not a JSON object."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


async def _await(read: Callable[[], Awaitable[T]]) -> T:
    return await read()
