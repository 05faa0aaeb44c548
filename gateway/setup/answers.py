"""The answers for a deployment's set-up: from flags, the environment or prompts."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gateway.setup.errors import SetupError
from gateway.setup.permissions import Mode
from gateway.setup.pocketbase_settings import Bucket, MailServer
from gateway.setup.webhook_endpoint import WEBHOOK_PATH, is_reachable

_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*(:\d{1,5})?", re.I)
STRIPE_API = "https://api.stripe.com"


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers; an empty one keeps the present value."""

    domain: str = ""
    frontend_origins: str = ""
    stripe_key: str = field(default="", repr=False)
    webhook_url: str = ""
    #: Whether the endpoint receives all events, for rows of stripe_objects.
    all_events: bool = False
    #: Whether to create another endpoint if the secret of the present one is lost.
    new_endpoint: bool = False
    superuser_email: str = ""
    admin_email: str = ""
    admin_password: str = field(default="", repr=False)
    app_name: str = ""
    mail_from: str = ""
    mail: MailServer | None = None
    bucket: Bucket | None = None
    backup_cron: str = ""
    backup_folder: str = ""


def split_domains(text: str) -> list[str]:
    """Return the host names of DOMAIN.

    Raises:
        SetupError: one is not a host name.
    """
    found = [part.strip() for part in text.split(",") if part.strip()]
    for part in found:
        if not _HOST.fullmatch(part):
            raise SetupError(
                f"DOMAIN has {part!r}: give host names such as shop.example.com, without https://."
            )
    return found


def choose_webhook_url(given: str, domains: list[str]) -> str:
    """Return the endpoint's address, "" if this deployment has no public one."""
    if given or not domains:
        return given
    return f"https://{domains[0]}{WEBHOOK_PATH}"


def check_webhook_url(url: str, mode: Mode, api_base: str) -> None:
    """Refuse an address to which Stripe would not deliver.

    Raises:
        SetupError: it is not http(s), not https in live mode, or no public host.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SetupError(f"The webhook URL {url} is not an http(s) address.")
    if mode == "live" and parts.scheme != "https":
        raise SetupError(f"Stripe delivers live events to https only: {url} is not https.")
    if api_base == STRIPE_API and not is_reachable(url):
        raise SetupError(
            f"Stripe can't reach {url}: give the public --domain or --webhook-url. On a developer's"
            " machine use `stripe listen` instead."
        )
