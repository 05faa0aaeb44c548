"""The gateway's settings: read once from the environment at start, frozen, passed down."""

import os
import re
from base64 import b64decode
from email.utils import parseaddr
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import SplitResult, urlsplit

from limits import parse_many
from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gateway.collection_settings import CollectionSettings
from gateway.email_address import clean_address
from gateway.settings_problems import (
    describe_invalid,
    describe_unknown,
    describe_unreadable,
    find_variables,
)
from gateway.start_error import StartError

_SECRETS_DIR = Path("/run/secrets")

#: The kinds of mails; see gateway/notifications/kinds.py.
MailKind = Literal[
    "payment_failed",
    "action_required",
    "trial_ending",
    "renewal",
    "receipt",
    "refund",
    "dispute",
    "finalization_failed",
]
#: The kinds that go to the seller.
TO_SELLER: tuple[MailKind, ...] = ("dispute", "finalization_failed")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie", "x-gateway-client")
#: ``smtp://`` is not encrypted and accepts no password.
_SMTP_SCHEMES = ("smtps", "smtp+starttls", "smtp")


#: A hundred years; larger values would exceed the range of dates.
MAX_DAYS = 36_500
#: Stripe delivers an event again for 30 days at most: its row must recognize the duplicate.
MIN_EVENT_DAYS = 60
#: Schemes that can't be a page's.
_SCHEMES_WITHOUT_PAGES = (
    "",
    "ws",
    "wss",
    "ftp",
    "mailto",
    "data",
    "javascript",
    "file",
    "blob",
    "about",
)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'+.^_`|~-]+", re.ASCII)

#: The settings of a command: all of them, or those without Stripe or without webhooks.
Kind = TypeVar("Kind", bound="PocketBaseSettings")


class SettingsError(StartError):
    """A setting is missing or not valid; the message names the variables."""


def _split(value: Any) -> Any:
    """Return the parts of a comma-separated variable."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def decode_hook_secret(secret: str) -> bytes:
    """Return the key in a hook secret.

    Raises:
        ValueError: the secret has another format; the message does not repeat it.
    """
    prefix, _, encoded = secret.partition("_")
    try:
        key = b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    # PocketBase's hooks accept a key only as text, which they encode as UTF-8.
    if prefix != "whsec" or len(key) < 24 or not key.isascii():
        raise ValueError("a secret is whsec_ and the base64 of at least 24 ASCII characters")
    return key


def _check_address(value: str) -> str:
    if urlsplit(value).scheme not in ("http", "https"):
        raise ValueError(f"{value!r} is not an http(s) URL")
    parts = urlsplit(value)
    if not parts.hostname or not _has_port(parts):
        raise ValueError("the address has no host, or a port that does not exist")
    return value.rstrip("/")


def _check_secret(text: str, prefixes: tuple[str, ...]) -> None:
    """Refuse a Stripe secret that was copied incompletely or with additional text.

    Raises:
        ValueError: the message has the reason without the value.
    """
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("it has a space, a line break or a character that no Stripe secret has")
    if text in prefixes:
        raise ValueError(f"it ends after {text}: copy the whole secret")


def _check_origin(origin: str) -> None:
    """Refuse values that are not the origin of a website or of an app's WebView.

    Raises:
        ValueError: the message has the reason.
    """
    parts = urlsplit(origin)
    if not parts.hostname or not _has_port(parts) or parts.scheme in _SCHEMES_WITHOUT_PAGES:
        raise ValueError(
            f"{origin!r} is not an origin like https://app.example.com or capacitor://localhost"
        )
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{origin!r} must be scheme, host and port only")


def _has_port(parts: SplitResult) -> bool:
    """Return whether the port is valid or absent; urllib's own error may repeat a password."""
    try:
        return parts.port != 0
    except ValueError:
        return False


class PocketBaseSettings(CollectionSettings, BaseSettings):
    """The settings of commands that call only PocketBase. Secrets have no default.

    The docstring below a field describes it in .env.example and docs/settings.md (`make docs`).
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        use_attribute_docstrings=True,
        secrets_dir=_SECRETS_DIR if _SECRETS_DIR.is_dir() else None,
    )

    gateway_app: str = ""
    """Your app as module:variable, for example shop.app:app. Empty: the variable `app` of main.py,
    app.py, api.py, app/main.py, app/app.py or app/api.py, whichever exists first in the working
    directory; if none exists, the gateway runs without an app."""

    pocketbase_url: str = "http://127.0.0.1:8090"
    """PocketBase's address. Needed only without `make run` and compose.yaml, which set it
    themselves."""
    pocketbase_superuser_email: str
    """E-mail address of the gateway's superuser, created at the first start. The password of an
    existing superuser is never changed. Empty: `make run` creates one and shows it once."""
    pocketbase_superuser_password: SecretStr
    """The password of that superuser."""

    gateway_max_body_bytes: int = Field(default=1_048_576, ge=1024)
    """Maximum body of a webhook delivery or of a write through /records, in bytes. Other endpoints
    have lower limits (docs/operations.md)."""
    gateway_max_waiting_events: int = Field(default=1000, ge=1)
    """Maximum number of events waiting to be written. Further deliveries get 503 at once, and
    Stripe repeats them."""
    gateway_keep_payload_days: int = Field(default=90, ge=0, le=MAX_DAYS)
    """Days after which the payloads of Stripe's events are emptied. 0: never. docs/retention.md
    explains this and the next four settings."""
    gateway_keep_event_days: int = Field(default=0, ge=0, le=MAX_DAYS)
    """Days after which the rows of Stripe's events are deleted, at least 60, because Stripe can
    deliver an event again for 30 days. 0: never."""
    gateway_keep_work_days: int = Field(default=7, ge=0, le=MAX_DAYS)
    """Days after which finished background work is deleted: mails, calls of handlers, jobs. 0:
    never."""
    gateway_keep_parked_days: int = Field(default=90, ge=0, le=MAX_DAYS)
    """Days after which parked background work is deleted. 0: never."""
    gateway_keep_export_days: int = Field(default=30, ge=0, le=MAX_DAYS)
    """Days after which exported files are deleted. 0: never, until the user or the account is
    deleted."""
    gateway_email_columns: Annotated[tuple[str, ...], NoDecode] = ()
    """Text columns of your collections that contain users' e-mail addresses, as collection.column,
    for `gateway users` (docs/personal-data.md). Columns of the type email need no entry."""
    gateway_upstream_timeout: float = Field(default=10.0, gt=0, le=3600)
    """Seconds to wait for a response of PocketBase or Stripe."""
    gateway_self_service_coupons: Annotated[tuple[str, ...], NoDecode] = ()
    """Ids of coupons that users may apply to their own subscriptions. Empty: none. Promotion codes
    need no entry here."""
    gateway_portal_configurations: Annotated[tuple[str, ...], NoDecode] = ()
    """Configurations (bpc_…) of Stripe's portal that requests to /portal can choose; the first is
    the default. Empty: Stripe's default configuration."""
    gateway_self_service_meters: Annotated[tuple[str, ...], NoDecode] = ()
    """Meters, by event name, on which users may report their own usage. Empty: only superusers
    report usage."""
    gateway_price_terms: Path | None = None
    """A TOML file with price terms (docs/checkout.md), which override the metadata of products and
    prices at Stripe. Empty: only the metadata."""
    gateway_rate_limit_user: str = "60/minute"
    """Maximum requests per user. Separate several limits by semicolons: 60/minute;500/hour."""
    gateway_rate_limit_address: str = "600/minute"
    """Maximum requests per IP address, in the same format."""
    gateway_trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses or networks of proxies in front of the gateway. Only their X-Forwarded-For is
    trusted. Empty: it is ignored."""
    gateway_admin_api: bool = True
    """Whether superusers can use the endpoints below /admin. false: they answer 404, and
    /openapi.json leaves them out; the commands (`gateway events` …) work all the same."""
    gateway_api_docs: bool = True
    """Whether the gateway serves /docs and /openapi.json. false: they answer 404; `gateway openapi`
    prints the document."""
    gateway_user_deletion_policy: Literal["keep", "cancel", "delete"] = "cancel"
    """The effect at Stripe when a user or an organization is deleted in PocketBase: keep (none),
    cancel (ends subscriptions, schedules, open Checkout Sessions and the collection of
    open invoices) or delete (also deletes the customer with its personal data). See
    docs/checkout.md."""
    gateway_guest_checkout: bool = False
    """Whether guests can buy without signing in. The user who later verifies the guest's e-mail
    address gets the purchase."""
    gateway_seat_sync_seconds: float = Field(default=5.0, ge=0.1, le=86_400)
    """Seconds between two comparisons of paid seats with members (docs/teams.md)."""

    gateway_metrics_token: SecretStr | None = Field(default=None, min_length=16)
    """The token with which Prometheus reads `GET /metrics` (`Authorization: Bearer …`). Empty: that
    page does not exist. Create one with `openssl rand -hex 24`."""
    gateway_log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    gateway_log_format: Literal["logfmt", "json"] = "logfmt"
    """logfmt (`time=… level=info msg="stripe event" event=evt_…`) or json, one object per line."""
    gateway_access_log: bool = False
    """Whether each request is logged with method, route, status and milliseconds."""

    gateway_hook_secrets: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Secrets that sign the calls between PocketBase's hooks and the gateway. Both need the same
    value; the first secret signs, all are accepted. Needed if the app has transforms; `make run`
    creates one. Under compose, create one with:

        echo "whsec_$(openssl rand -hex 24 | tr -d '\\n' | base64)"
    """
    gateway_public_url: str = "http://127.0.0.1:8000"
    """The gateway's address for PocketBase. Needed only without `make run` and compose.yaml, which
    set it themselves."""
    gateway_transform_superuser_writes: bool = True
    """Whether the writes of other superusers, including those in the dashboard, pass through
    transforms. Writes of the gateway's own superuser never do."""
    gateway_transform_headers: Annotated[tuple[str, ...], NoDecode] = (
        "user-agent",
        "accept-language",
        "origin",
    )
    """Request headers that transforms with request=True receive."""
    gateway_max_transform_bytes: int = Field(default=8_388_608, ge=1024)
    """Maximum body of a call from PocketBase to transforms, in bytes."""

    gateway_email_notifications: Annotated[tuple[MailKind, ...], NoDecode] = ()
    """Kinds of notifications to mail. dispute also turns on finalization_failed. Empty: none."""
    gateway_mail_sender: str = ""
    """Sender of the mails, for example `Shop <billing@example.com>`. Empty: the sender in
    PocketBase's mail settings."""
    gateway_notify_email: str = ""
    """Recipient of mails to the seller; needed with dispute and finalization_failed."""
    gateway_mail_templates: Path | None = None
    """A folder with your own mail templates, which replace the built-in ones of the same name."""
    gateway_smtp_url: SecretStr | None = None
    """A separate mail server: smtps://user:password@host,
    smtp+starttls://user:password@host or, without encryption and password, smtp://host; a port may
    follow. Empty: PocketBase's mail settings."""
    gateway_notification_max_age_hours: int = Field(default=48, ge=1, le=24 * MAX_DAYS)
    """Maximum age of an event in hours; older events cause no mail. Event handlers are called
    however late Stripe delivers; for older events that `gateway reconcile` finds they are not."""

    @field_validator(
        "gateway_email_columns",
        "gateway_self_service_coupons",
        "gateway_portal_configurations",
        "gateway_self_service_meters",
        "gateway_hook_secrets",
        "gateway_email_notifications",
        "gateway_trusted_proxies",
        "gateway_transform_headers",
        mode="before",
    )
    @classmethod
    def _split_list(cls, value: Any) -> Any:
        return _split(value)

    @field_validator("gateway_hook_secrets")
    @classmethod
    def _check_hook_secrets(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in secrets:
            decode_hook_secret(secret.get_secret_value())
        return secrets

    @field_validator("gateway_transform_headers")
    @classmethod
    def _check_transform_headers(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not the name of a header")
            if name.lower() in _SECRET_HEADERS:
                raise ValueError(f"{name} contains a secret, which transforms must not receive")
        return tuple(name.lower() for name in names)

    @field_validator("gateway_email_columns")
    @classmethod
    def _check_columns(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        for column in columns:
            if not re.fullmatch(r"\w+\.\w+", column, re.ASCII):
                raise ValueError(f"{column!r} is not a column like orders.contact")
        return columns

    @field_validator("gateway_keep_event_days")
    @classmethod
    def _check_event_days(cls, days: int) -> int:
        if 0 < days < MIN_EVENT_DAYS:
            raise ValueError(f"must be 0 (never) or at least {MIN_EVENT_DAYS}")
        return days

    @field_validator("gateway_trusted_proxies")
    @classmethod
    def _check_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ip_network(network)
        return networks

    @field_validator("gateway_rate_limit_user", "gateway_rate_limit_address")
    @classmethod
    def _check_rate(cls, rate: str) -> str:
        parse_many(rate)
        return rate

    @field_validator("pocketbase_url", "gateway_public_url")
    @classmethod
    def _strip_slash(cls, value: str) -> str:
        return _check_address(value)

    @field_validator("gateway_log_level")
    @classmethod
    def _check_level(cls, value: str) -> str:
        if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator("gateway_mail_sender", "gateway_notify_email")
    @classmethod
    def _check_mailbox(cls, value: str, info: ValidationInfo) -> str:
        allow_dotless = info.field_name == "gateway_mail_sender"
        address = clean_address(parseaddr(value)[1], allow_dotless=allow_dotless)
        if value and not (value.isprintable() and address):
            raise ValueError("must be an address like Shop <billing@example.com>")
        return value

    @field_validator("gateway_mail_templates")
    @classmethod
    def _check_folder(cls, value: Path | None) -> Path | None:
        if value is not None and not (value.is_dir() and os.access(value, os.R_OK | os.X_OK)):
            raise ValueError(f"{value} is not a folder that this user can read")
        return value

    @field_validator("gateway_smtp_url")
    @classmethod
    def _check_smtp(cls, value: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(value.get_secret_value()) if value else None
        if parts and not (parts.scheme in _SMTP_SCHEMES and parts.hostname and _has_port(parts)):
            raise ValueError("must be smtps://host, smtp+starttls://host or smtp://host")
        if parts and parts.scheme == "smtp" and parts.username is not None:
            raise ValueError("smtp:// would send the password unencrypted")
        return value if parts else None

    @model_validator(mode="after")
    def _check_seller(self) -> Self:
        kinds = [kind for kind in TO_SELLER if kind in self.gateway_email_notifications]
        if kinds and not self.gateway_notify_email:
            raise ValueError(
                f"GATEWAY_NOTIFY_EMAIL is not set, and GATEWAY_EMAIL_NOTIFICATIONS has {kinds[0]}"
            )
        return self

    @cached_property
    def mail_kinds(self) -> frozenset[str]:
        """Return the kinds to mail; ``dispute`` turns on every kind for the seller."""
        mails: set[str] = set(self.gateway_email_notifications)
        return frozenset(mails | set(TO_SELLER) if "dispute" in mails else mails)

    @cached_property
    def hook_keys(self) -> tuple[bytes, ...]:
        """Return the keys in the hook secrets, only for signing and verifying calls."""
        secrets = self.gateway_hook_secrets
        return tuple(decode_hook_secret(secret.get_secret_value()) for secret in secrets)


class StripeSettings(PocketBaseSettings):
    """The settings of commands that also call Stripe."""

    stripe_secret_key: SecretStr
    """The secret key (sk_… or a restricted rk_…). Empty: `make run` simulates Stripe."""
    stripe_api_base: str = "https://api.stripe.com"
    """Base URL of Stripe's API, for a proxy or a simulator."""
    gateway_stripe_account: str = ""
    """The id (acct_…) of the key's account. Needed only if events of a Stripe organization are
    delivered and a restricted key may not read its account."""

    @property
    def is_live(self) -> bool:
        """Return whether the secret key is of live mode."""
        return self.stripe_secret_key.get_secret_value().startswith(("sk_live_", "rk_live_"))

    @field_validator("stripe_secret_key")
    @classmethod
    def _check_key(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if text.startswith("pk_"):
            raise ValueError(
                "pk_… is the publishable key; use the secret key (sk_…) or a restricted key (rk_…)"
            )
        if not text.startswith(("sk_", "rk_")):
            raise ValueError("a secret key starts with sk_, a restricted key with rk_")
        _check_secret(text, ("sk_", "sk_test_", "sk_live_", "rk_", "rk_test_", "rk_live_"))
        return key

    @field_validator("gateway_stripe_account")
    @classmethod
    def _check_account(cls, value: str) -> str:
        if value and not re.fullmatch(r"acct_\w+", value, re.ASCII):
            raise ValueError("an account's id starts with acct_")
        return value

    @field_validator("stripe_api_base")
    @classmethod
    def _check_base(cls, value: str) -> str:
        return _check_address(value)


class Settings(StripeSettings):
    """All settings of `gateway serve`, by lower-case environment variable."""

    stripe_webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode] = Field(min_length=1)
    """Signing secrets (whsec_…) of the webhook endpoint; during a rotation both the old and the new
    one. On a developer's machine, the one that this command prints:

        stripe listen --forward-to http://127.0.0.1:8000/webhooks/stripe

    Previews of subscription changes are signed with keys derived from them, so all gateways of one
    PocketBase need the same secrets."""
    gateway_frontend_origins: Annotated[tuple[str, ...], NoDecode] = Field(min_length=1)
    """Origins of your frontends (scheme, host and port): their pages may call the gateway, and
    Stripe's pages may return to them. Empty: `make run` allows localhost and 127.0.0.1 on
    PocketBase's port, 3000 and 5173. Apps in a WebView have origins like capacitor://localhost,
    ionic://localhost or http://localhost; Stripe's pages return to http and https only."""
    gateway_cors_headers: Annotated[tuple[str, ...], NoDecode] = ()
    """Further request headers that frontends send. Always allowed: Authorization, Content-Type,
    Idempotency-Key, X-Request-Id and tracing headers (sentry-trace, baggage, traceparent,
    tracestate, b3, x-datadog-…)."""

    gateway_run_work: bool = True
    """Whether `gateway serve` also runs background work; false where `gateway worker` runs it."""
    gateway_database_url: SecretStr | None = None
    """PostgreSQL for background work on many machines, such as postgresql://user:password@host/name
    (docs/scaling.md). Empty: work is queued in PocketBase alone. It needs the extra [postgres]."""

    @field_validator("gateway_database_url")
    @classmethod
    def _check_database(cls, url: SecretStr | None) -> SecretStr | None:
        text = url.get_secret_value() if url else ""
        if text and urlsplit(text).scheme not in ("postgresql", "postgres"):
            raise ValueError("it starts with postgresql://")
        return url if text else None

    @field_validator(
        "stripe_webhook_secrets", "gateway_frontend_origins", "gateway_cors_headers", mode="before"
    )
    @classmethod
    def _split_required_list(cls, value: Any) -> Any:
        return _split(value)

    @field_validator("stripe_webhook_secrets")
    @classmethod
    def _check_webhook_secrets(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not all(secret.get_secret_value().startswith("whsec_") for secret in secrets):
            raise ValueError(
                "a signing secret starts with whsec_; Stripe shows it with the webhook endpoint"
            )
        for secret in secrets:
            _check_secret(secret.get_secret_value(), ("whsec_",))
        return secrets

    @field_validator("gateway_frontend_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            _check_origin(origin)
        return tuple(origin.lower() for origin in origins)

    @field_validator("gateway_cors_headers")
    @classmethod
    def _check_headers(cls, headers: tuple[str, ...]) -> tuple[str, ...]:
        for header in headers:
            if not _HEADER.fullmatch(header):
                raise ValueError(f"{header!r} is not the name of a header; * is not possible")
        return headers

    @cached_property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Return the webhook secrets as text, only for the signature check."""
        return tuple(secret.get_secret_value() for secret in self.stripe_webhook_secrets)


def read_settings(**overrides: Any) -> Settings:
    """Read every setting from the environment; see `read_settings_of`."""
    return read_settings_of(Settings, **overrides)


def read_settings_of(kind: type[Kind], **overrides: Any) -> Kind:
    """Read the settings of one class from the environment.

    Args:
        kind: the settings class, which defines the required variables.
        overrides: values that replace those of the environment, by field name.

    Raises:
        SettingsError: one sentence per problem, naming the variable and never its value.
    """
    if unreadable := list(describe_unreadable(_SECRETS_DIR, kind.model_fields)):
        raise SettingsError(" ".join(unreadable))
    names = find_variables(_SECRETS_DIR)
    fields = [*Settings.model_fields, *kind.model_fields]
    problems = list(describe_unknown(names, fields))
    try:
        settings = kind(**overrides)
    except ValidationError as error:
        raise SettingsError(" ".join([*problems, *describe_invalid(error)])) from None
    if problems:
        raise SettingsError(" ".join(problems))
    return settings
