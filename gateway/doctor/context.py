"""The deployment that `gateway doctor` checks: settings, clients, and facts that checks share."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import stripe

from gateway.app.declarations import Declarations
from gateway.errors import GatewayError, PocketBaseUnavailable, StripeKeyRefused
from gateway.health.readiness import read_version
from gateway.pocketbase import PocketBase
from gateway.pocketbase.api.client import PocketBaseClient
from gateway.pocketbase.contracts.diagnosis import DIAGNOSIS, Diagnosis
from gateway.pocketbase.contracts.health import VersionAnswer
from gateway.pocketbase.contracts.route import Empty
from gateway.pocketbase.hook_call import call_hook
from gateway.rows import Json
from gateway.settings import PocketBaseSettings, Settings, StripeSettings
from gateway.stripe_api import PROBE, KeyCheck, Snapshot, read_object

T = TypeVar("T")

_SIGN_IN_SECONDS = 5.0
#: The address of Stripe's API.
STRIPE = "https://api.stripe.com"
#: Hosts of this machine.
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class Skipped(Exception):
    """A check can't be run; the message has the reason."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the command was given, before any connection."""

    #: The most complete settings that are valid; None if not even PocketBase's are.
    settings: PocketBaseSettings | None
    #: One sentence per invalid or missing setting.
    problems: tuple[str, ...]
    #: Names of variables that have a value, in the environment and in /run/secrets.
    variables: frozenset[str]
    #: Names in the `.env` in the working directory; None without one.
    env_file: frozenset[str] | None
    folder: Path
    #: The fields of the app's settings.
    fields: frozenset[str]
    declarations: Declarations
    #: The version that the app's OpenAPI document shows.
    app_version: str
    #: Why the app can't be loaded.
    app_problem: str = ""
    #: The address of a remote deployment; "" for the one of the settings.
    url: str = ""
    #: A superuser's token for it.
    token: str = field(default="", repr=False)
    #: Whether expensive checks run too.
    restore: bool = False


@dataclass(slots=True)
class Context:
    """The clients of the checks; facts are read once, whichever check needs them first."""

    given: Given
    http: httpx2.AsyncClient
    pocketbase: PocketBase | None
    records: PocketBaseClient | None
    stripe_client: stripe.StripeClient | None
    key_check: KeyCheck
    _facts: dict[str, "asyncio.Future[Any]"] = field(default_factory=dict)

    @property
    def is_remote(self) -> bool:
        """Whether the deployment is checked from outside."""
        return bool(self.given.url)

    @property
    def settings(self) -> Settings:
        """The settings of the gateway.

        Raises:
            Skipped: not all of them are known.
        """
        if isinstance(self.given.settings, Settings):
            return self.given.settings
        raise Skipped("the settings of the gateway are not known here")

    @property
    def pocketbase_settings(self) -> PocketBaseSettings:
        """The settings that any command needs.

        Raises:
            Skipped: they are not valid.
        """
        if self.given.settings is None:
            raise Skipped("settings are not valid: see settings.valid")
        return self.given.settings

    @property
    def key(self) -> str:
        """The Stripe key.

        Raises:
            Skipped: it is not set.
        """
        if isinstance(self.given.settings, StripeSettings):
            return self.given.settings.stripe_secret_key.get_secret_value()
        raise Skipped("STRIPE_SECRET_KEY is not set here")

    @property
    def is_live(self) -> bool:
        """Whether the key is one of live mode, or customers reach the deployment by HTTPS."""
        settings = self.given.settings
        if isinstance(settings, StripeSettings):
            return "_live_" in settings.stripe_secret_key.get_secret_value()[:8]
        return self.given.url.startswith("https:")

    @property
    def uses_real_stripe(self) -> bool:
        """Whether Stripe is not simulated."""
        settings = self.given.settings
        return isinstance(settings, StripeSettings) and settings.stripe_api_base == STRIPE

    @property
    def client(self) -> stripe.StripeClient:
        """Stripe's client.

        Raises:
            Skipped: there is no key.
        """
        if self.stripe_client is None:
            raise Skipped("STRIPE_SECRET_KEY is not set here")
        return self.stripe_client

    @property
    def superuser(self) -> PocketBase:
        """PocketBase's client.

        Raises:
            Skipped: there are no credentials.
        """
        if self.pocketbase is None:
            raise Skipped(self._describe_missing())
        return self.pocketbase

    @property
    def administration(self) -> PocketBaseClient:
        """PocketBase's client for its settings, logs and backups.

        Raises:
            Skipped: there are no credentials.
        """
        if self.records is None:
            raise Skipped(self._describe_missing())
        return self.records

    def _describe_missing(self) -> str:
        if self.is_remote:
            return "no superuser is given: set POCKETBASE_SUPERUSER_EMAIL and …_PASSWORD"
        return "settings are not valid: see settings.valid"

    @property
    def gateway_url(self) -> str:
        """The address of the running gateway."""
        return self.given.url or self.pocketbase_settings.gateway_public_url

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

    async def sign_in(self) -> None:
        """Sign in to PocketBase; a sign-in writes a row, so it waits for a locked database.

        Raises:
            PocketBaseUnavailable: it does not answer in time, or refuses the superuser.
        """
        try:
            async with asyncio.timeout(_SIGN_IN_SECONDS):
                await self.share("token", lambda: self.superuser.session.get_token())
        except TimeoutError as error:
            raise PocketBaseUnavailable(
                f"PocketBase did not accept a sign-in in {_SIGN_IN_SECONDS:g} s: it is overloaded,"
                " or another process (a backup, a shell) locks its database."
            ) from error

    async def require_pocketbase(self) -> None:
        """Sign in to PocketBase.

        Raises:
            Skipped: it does not answer, or refuses the superuser.
        """
        try:
            await self.sign_in()
        except GatewayError:
            raise Skipped("PocketBase can't be used: see pocketbase.reachable") from None

    async def require_hooks(self) -> None:
        """Ask for the version of the hooks.

        Raises:
            Skipped: they are missing or incomplete.
        """
        try:
            version = await self.read_version()
        except GatewayError:
            raise Skipped("PocketBase lacks hooks: see hooks.loaded") from None
        if version.files:
            raise Skipped("PocketBase lacks hooks: see hooks.loaded")

    async def require_stripe(self) -> None:
        """Read one object of Stripe.

        Raises:
            Skipped: Stripe does not answer, or refuses the key.
        """
        try:
            await self.read_stripe()
        except GatewayError:
            raise Skipped("Stripe can't be used: see stripe.key") from None

    async def require_gateway(self) -> None:
        """Ask for the gateway's health.

        Raises:
            Skipped: it does not answer.
        """
        try:
            answer = await self.read_health()
        except httpx2.HTTPError:
            answer = None
        if answer is None or not answer.is_success:
            raise Skipped("the gateway does not answer: see gateway.reachable")

    async def read_health(self) -> httpx2.Response:
        """Return the answer of /health."""
        return await self.share("health", lambda: self.http.get(f"{self.gateway_url}/health"))

    async def require_settings(self) -> None:
        """Raise `Skipped` without valid settings."""
        _ = self.pocketbase_settings

    async def require_public(self) -> None:
        """Raise `Skipped` without a public address."""
        if not self.is_remote:
            await self.require_pocketbase()
        await self.read_public_url()

    async def require_this_machine(self) -> None:
        """Raise `Skipped` if another machine's deployment is checked."""
        if self.is_remote:
            raise Skipped("this is checked on the deployment's own machine, without --url")

    async def read_stripe(self) -> Snapshot:
        """Return a list of one price, which any key may try to read.

        Raises:
            StripeKeyNotAccepted: Stripe does not know the key.
            StripeUnavailable: Stripe does not answer.
        """

        async def read() -> Snapshot:
            try:
                return await read_object(self.client, PROBE)
            except StripeKeyRefused:
                self.key_check.check()
                # The key is known; stripe.permissions names what it lacks.
                return Snapshot({}, as_of=int(time.time()), until=int(time.time()) + 1)

        return await self.share("stripe", read)

    async def read_version(self) -> VersionAnswer:
        """Return the hooks, migrations and names of PocketBase."""
        return await self.share("version", lambda: read_version(self.superuser))

    async def read_diagnosis(self) -> Diagnosis:
        """Return the facts that only PocketBase sees."""
        return await self.share("diagnosis", lambda: call_hook(self.superuser, DIAGNOSIS, Empty()))

    async def read_app_settings(self) -> Json:
        """Return PocketBase's own settings."""
        return await self.share("settings", lambda: self.administration.settings.get())

    async def share(self, name: str, read: Callable[[], Awaitable[T]]) -> T:
        """Return a fact; it is read once, and its error is every caller's."""
        if name not in self._facts:
            self._facts[name] = asyncio.ensure_future(_await(read))
        found: T = await asyncio.shield(self._facts[name])
        return found

    async def close(self) -> None:
        """End the reads that no check waits for any more."""
        for fact in self._facts.values():
            fact.cancel()
        await asyncio.gather(*self._facts.values(), return_exceptions=True)


async def _await(read: Callable[[], Awaitable[T]]) -> T:
    return await read()
