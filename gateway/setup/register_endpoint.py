"""Registers the webhook endpoint: one at the gateway's URL, with the wanted types and version.

Stripe shows a secret only at the creation of its endpoint, and can't change an endpoint's version.
So an endpoint of another version is replaced in two runs: the first creates the new one, the
second disables the former one, because the gateways must know the new secret before that.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import stripe

from gateway.errors import StripeRefused
from gateway.setup.errors import SetupError
from gateway.setup.event_types import PINNED_VERSION
from gateway.setup.report import SetupReport
from gateway.setup.webhook_endpoint import (
    FINGERPRINT,
    MADE_BY,
    RegisteredEndpoint,
    compare,
    fingerprint,
    list_endpoints,
    select_by_url,
)
from gateway.stripe_api import translate_errors

_LIMIT = "reached the maximum"


@dataclass(frozen=True, slots=True)
class WantedEndpoint:
    """The endpoint as it should be."""

    url: str
    #: Event types, or ``*``.
    types: tuple[str, ...]
    #: Whether to create another endpoint if the secret of the present one is not known.
    replaces_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Registrar:
    """Registers one endpoint."""

    client: stripe.StripeClient
    wanted: WantedEndpoint
    #: The signing secrets of this deployment.
    secrets: tuple[str, ...]
    #: Stores the secrets at once, that of a new endpoint first.
    store: Callable[[tuple[str, ...]], None]
    report: SetupReport

    async def register(self) -> None:
        """Create, update or keep the endpoint.

        Raises:
            SetupError: Stripe refuses the endpoint.
            StripeUnavailable: Stripe does not answer.
        """
        everywhere = await list_endpoints(self.client)
        found = select_by_url(everywhere, self.wanted.url)
        usable = [each for each in found if self._is_usable(each)]
        # Those with a known secret first.
        usable.sort(key=lambda each: each.has_secret(self.secrets) is not True)
        if usable:
            await self._update(usable[0])
            await self._disable_others(usable[0], found)
        elif lost := next((each for each in found if self._lacks_secret(each)), None):
            await self._replace_lost(lost, everywhere)
        else:
            await self._create(found, everywhere)

    def _is_usable(self, endpoint: RegisteredEndpoint) -> bool:
        return (
            endpoint.api_version == PINNED_VERSION
            and not _is_half_made(endpoint)
            and not self._lacks_secret(endpoint)
        )

    def _lacks_secret(self, endpoint: RegisteredEndpoint) -> bool:
        """Whether deliveries of this endpoint would fail: its secret is not stored here."""
        if _is_half_made(endpoint):
            return False
        return endpoint.has_secret(self.secrets) is False or not self.secrets

    async def _update(self, endpoint: RegisteredEndpoint) -> None:
        difference = compare(endpoint, self.wanted.types)
        if not difference:
            self.report.keep(f"Stripe: the webhook endpoint {endpoint.id} ({self.wanted.url})")
            return
        self.report.change(f"Stripe: the webhook endpoint {endpoint.id}: {difference.describe()}")
        if not self.report.is_dry_run:
            types = list(self.wanted.types)
            await self._send(endpoint.id, enabled_events=types, disabled=False)

    async def _disable_others(
        self, current: RegisteredEndpoint, found: list[RegisteredEndpoint]
    ) -> None:
        """Disable further endpoints at the URL, if the gateways know the secret of this one."""
        for each in found:
            if each.id == current.id or not each.is_enabled:
                continue
            if not current.has_secret(self.secrets):
                self.report.todo(
                    f"Stripe has two webhook endpoints at {self.wanted.url}, {current.id} and"
                    f" {each.id}: disable the one with a secret that is not in"
                    " STRIPE_WEBHOOK_SECRETS"
                )
                continue
            self.report.change(
                f"Stripe: the former webhook endpoint {each.id} is disabled; its secret can leave"
                " STRIPE_WEBHOOK_SECRETS"
            )
            if not self.report.is_dry_run:
                await self._send(each.id, disabled=True)

    async def _replace_lost(
        self, endpoint: RegisteredEndpoint, everywhere: list[RegisteredEndpoint]
    ) -> None:
        if self.wanted.replaces_unknown:
            await self._create([endpoint], everywhere)
            return
        self.report.todo(
            f"Stripe has the webhook endpoint {endpoint.id}, but its secret is not stored here."
            " Copy it from Stripe's dashboard (Webhooks) into STRIPE_WEBHOOK_SECRETS, or run"
            " `gateway init --new-endpoint`, which creates another endpoint. If another"
            " deployment has this address, stop it first"
        )

    async def _create(
        self, found: list[RegisteredEndpoint], everywhere: list[RegisteredEndpoint]
    ) -> None:
        kind = "for all events" if self.wanted.types == ("*",) else "for the handled events"
        self.report.change(
            f"Stripe: a webhook endpoint at {self.wanted.url} {kind}, version {PINNED_VERSION}"
        )
        if not self.report.is_dry_run:
            for half_made in filter(_is_half_made, found):
                await self._delete(half_made)
            await self._create_at_stripe(self._choose_kept(everywhere))
        if [each for each in found if each.is_enabled and not _is_half_made(each)]:
            self.report.todo(
                "Let the gateways read the new secret (`docker compose up -d`); the next"
                " `gateway init` disables the former webhook endpoint"
            )

    async def _create_at_stripe(self, kept: tuple[str, ...]) -> None:
        params: Any = {
            "url": self.wanted.url,
            "enabled_events": list(self.wanted.types),
            "api_version": PINNED_VERSION,
            "description": "PocketBase gateway",
            "metadata": {MADE_BY: "init"},
        }
        with _explain_refusal(), translate_errors():
            made = await self.client.v1.webhook_endpoints.create_async(params)
        secret = str(made.secret)
        self.store((secret, *kept))
        await self._send(made.id, metadata={FINGERPRINT: fingerprint(secret)})

    def _choose_kept(self, everywhere: list[RegisteredEndpoint]) -> tuple[str, ...]:
        """Return the secrets that deliveries of other endpoints may still need.

        A secret of the other mode, or of `stripe listen`, is left out: its events are not this
        account's business.
        """
        others = [each for each in everywhere if each.is_enabled and not _is_half_made(each)]
        if any(FINGERPRINT not in each.metadata for each in others):
            return self.secrets
        known = {each.metadata[FINGERPRINT] for each in others}
        return tuple(each for each in self.secrets if fingerprint(each) in known)

    async def _delete(self, endpoint: RegisteredEndpoint) -> None:
        with translate_errors():
            await self.client.v1.webhook_endpoints.delete_async(endpoint.id)

    async def _send(self, id: str, **changes: object) -> None:
        with _explain_refusal(), translate_errors():
            await self.client.v1.webhook_endpoints.update_async(id, changes)  # type: ignore[arg-type]


def _is_half_made(endpoint: RegisteredEndpoint) -> bool:
    """Return whether a run ended between the creation and the storing of the secret."""
    return endpoint.is_ours and FINGERPRINT not in endpoint.metadata


@contextmanager
def _explain_refusal() -> Iterator[None]:
    """Turn a refusal into a sentence with Stripe's message."""
    try:
        yield
    except StripeRefused as refused:
        message = refused.stripe.message
        hint = " Delete one that is not used any more." if _LIMIT in message else ""
        raise SetupError(f"Stripe refuses the webhook endpoint: {message}{hint}") from refused
