"""The gateway's webhook endpoint at Stripe: found by its URL, compared with the wanted one."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import stripe

from gateway.setup.event_types import ALL_EVENTS, PINNED_VERSION
from gateway.stripe_api import translate_errors

#: Where the gateway receives events.
WEBHOOK_PATH = "/webhooks/stripe"
#: Metadata of an endpoint that `gateway init` has created.
MADE_BY = "pocketbase_gateway"
#: Metadata: the fingerprint of the secret, once it is stored in this deployment.
FINGERPRINT = "pocketbase_gateway_secret"
_FINGERPRINT_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class RegisteredEndpoint:
    """A webhook endpoint as Stripe shows it; the secret is shown only at its creation."""

    id: str
    url: str
    enabled_events: frozenset[str]
    #: None if the account's default version shapes the events.
    api_version: str | None
    is_enabled: bool
    is_live: bool
    metadata: dict[str, str]
    created: int

    @classmethod
    def of(cls, body: dict[str, Any]) -> "RegisteredEndpoint":
        """Return the endpoint of Stripe's object."""
        return cls(
            id=str(body["id"]),
            url=str(body["url"]),
            enabled_events=frozenset(body.get("enabled_events") or ()),
            api_version=body.get("api_version"),
            is_enabled=body.get("status") == "enabled",
            is_live=body.get("livemode") is True,
            metadata=dict(body.get("metadata") or {}),
            created=int(body.get("created") or 0),
        )

    @property
    def is_ours(self) -> bool:
        """Return whether `gateway init` has created it."""
        return MADE_BY in self.metadata

    def receives(self, type: str) -> bool:
        """Return whether Stripe sends events of a type to it."""
        return bool(self.enabled_events & {ALL_EVENTS, type})

    def has_secret(self, secrets: Iterable[str]) -> bool | None:
        """Return whether one of these secrets is the endpoint's, None if nothing shows it."""
        known = self.metadata.get(FINGERPRINT)
        if not known:
            return None
        return known in {fingerprint(secret) for secret in secrets}


@dataclass(frozen=True, slots=True)
class EndpointDifference:
    """Differences of an endpoint from the wanted one."""

    missing: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    #: The endpoint's version if it is not the pinned one; "default" for the account's. Stripe can't
    #: change the version of an endpoint.
    version: str = ""
    is_disabled: bool = False

    @property
    def has_other_types(self) -> bool:
        """Return whether the event types differ."""
        return bool(self.missing or self.surplus)

    def __bool__(self) -> bool:
        return bool(self.has_other_types or self.version or self.is_disabled)

    def describe(self) -> str:
        """Return the differences as one sentence, "" without any."""
        parts = []
        if self.is_disabled:
            parts.append("it is disabled")
        if self.missing:
            parts.append(f"it lacks {_name_some(self.missing)}")
        if self.surplus:
            parts.append(f"it also receives {_name_some(self.surplus)}")
        if self.version:
            parts.append(f"its API version is {self.version} instead of {PINNED_VERSION}")
        return "; ".join(parts)


def compare(endpoint: RegisteredEndpoint, types: Collection[str]) -> EndpointDifference:
    """Compare an endpoint with the wanted event types (``*`` for all) and the pinned version."""
    wanted = frozenset(types)
    has_all = ALL_EVENTS in endpoint.enabled_events and ALL_EVENTS not in wanted
    version = "" if endpoint.api_version == PINNED_VERSION else endpoint.api_version or "default"
    return EndpointDifference(
        missing=() if has_all else tuple(sorted(wanted - endpoint.enabled_events)),
        surplus=tuple(sorted(endpoint.enabled_events - wanted)),
        version=version,
        is_disabled=not endpoint.is_enabled,
    )


async def list_endpoints(client: stripe.StripeClient) -> list[RegisteredEndpoint]:
    """Return all endpoints of the account in the key's mode; Stripe allows 16.

    Raises:
        StripeUnavailable, StripeRefused
    """
    with translate_errors():
        page = await client.v1.webhook_endpoints.list_async({"limit": 100})
    return [RegisteredEndpoint.of(each.to_dict()) for each in page.data]


def select_by_url(endpoints: Iterable[RegisteredEndpoint], url: str) -> list[RegisteredEndpoint]:
    """Return the endpoints at a URL, enabled ones first, then the newest."""
    wanted = _normalize(url)
    found = [each for each in endpoints if _normalize(each.url) == wanted]
    return sorted(found, key=lambda each: (not each.is_enabled, -each.created))


async def find_endpoints(client: stripe.StripeClient, url: str) -> list[RegisteredEndpoint]:
    """Return the endpoints at a URL; see `select_by_url`.

    Raises:
        StripeUnavailable, StripeRefused
    """
    return select_by_url(await list_endpoints(client), url)


def fingerprint(secret: str) -> str:
    """Return a short hash of a signing secret, which does not reveal it."""
    return hashlib.sha256(secret.encode()).hexdigest()[:_FINGERPRINT_CHARACTERS]


def is_reachable(url: str) -> bool:
    """Return whether Stripe can reach a URL as far as its host shows: not this machine's."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host.endswith((".localhost", ".local", ".test", ".internal")) or "." not in host:
        # An IPv6 address has no dots.
        return ":" in host and ip_address(host).is_global
    try:
        return ip_address(host).is_global
    except ValueError:
        return True


def _normalize(url: str) -> str:
    parts = urlsplit(url.strip())
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}?{parts.query}"


def _name_some(types: tuple[str, ...]) -> str:
    """Name the first few types."""
    shown = ", ".join(types[:3])
    return f"{shown} and {len(types) - 3} more" if len(types) > 3 else shown
