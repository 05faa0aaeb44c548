"""Facts that `gateway doctor` has before any connection: options, settings, the app."""

from dataclasses import dataclass, field
from pathlib import Path

from gateway.app.declarations import Declarations
from gateway.settings import PocketBaseSettings, Settings, StripeSettings

#: The address of Stripe's API.
STRIPE = "https://api.stripe.com"
#: Hosts of this machine.
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class Skipped(Exception):
    """A check can't be run; the message has the reason."""


@dataclass(frozen=True, slots=True)
class Given:
    """Options, settings and declarations of the app."""

    #: The most complete settings that are valid; None if not even PocketBase's are.
    valid_settings: PocketBaseSettings | None
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
    #: The reason why the app can't be loaded.
    app_problem: str = ""
    #: The address of a remote deployment; "" for the one of the settings.
    url: str = ""
    #: A superuser's token for it.
    token: str = field(default="", repr=False)
    #: Whether expensive checks run too.
    restore: bool = False

    @property
    def is_remote(self) -> bool:
        """Whether the deployment is checked from outside."""
        return bool(self.url)

    @property
    def pocketbase_settings(self) -> PocketBaseSettings:
        """The settings that any command needs.

        Raises:
            Skipped: they are not valid.
        """
        if self.valid_settings is None:
            raise Skipped("settings are not valid: see settings.valid")
        return self.valid_settings

    @property
    def settings(self) -> Settings:
        """The settings of the gateway.

        Raises:
            Skipped: not all of them are known.
        """
        if isinstance(self.valid_settings, Settings):
            return self.valid_settings
        raise Skipped("the settings of the gateway are not known here")

    @property
    def key(self) -> str:
        """The Stripe key.

        Raises:
            Skipped: it is not set.
        """
        if isinstance(self.valid_settings, StripeSettings):
            return self.valid_settings.stripe_secret_key.get_secret_value()
        raise Skipped("STRIPE_SECRET_KEY is not set here")

    @property
    def is_live(self) -> bool:
        """Whether the key is one of live mode; without a key, whether the address has HTTPS."""
        if isinstance(self.valid_settings, StripeSettings):
            return "_live_" in self.key[:8]
        return self.url.startswith("https:")

    @property
    def uses_real_stripe(self) -> bool:
        """Whether Stripe is not simulated."""
        settings = self.valid_settings
        return isinstance(settings, StripeSettings) and settings.stripe_api_base == STRIPE

    @property
    def gateway_url(self) -> str:
        """The address of the running gateway.

        Raises:
            Skipped: the settings are not valid.
        """
        return self.url or self.pocketbase_settings.gateway_public_url
