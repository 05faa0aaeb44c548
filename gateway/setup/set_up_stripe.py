"""Brings the Stripe account to the wanted state: endpoint and portal, as far as the key allows."""

from collections.abc import Callable
from dataclasses import dataclass

import stripe

from gateway.setup.answers import (
    STRIPE_API,
    Answers,
    check_webhook_url,
    choose_webhook_url,
    split_domains,
)
from gateway.setup.env_file import EnvFile
from gateway.setup.event_types import ALL_EVENTS
from gateway.setup.portal import Portal
from gateway.setup.register_endpoint import Registrar, WantedEndpoint
from gateway.setup.report import SetupReport
from gateway.setup.stripe_key import KeyAccess, check_key

_LISTEN = "stripe listen --forward-to http://127.0.0.1:8000/webhooks/stripe"


@dataclass(frozen=True, slots=True)
class StripeSetup:
    """Sets one Stripe account up."""

    client: stripe.StripeClient
    key: str
    api_base: str
    env: EnvFile
    #: Writes `.env`.
    save: Callable[[], None]
    report: SetupReport

    async def apply(self, answers: Answers, types: tuple[str, ...]) -> None:
        """Check the key, then register the endpoint and configure the portal.

        Args:
            types: the handled event types.

        Raises:
            SetupError: Stripe refuses the key, the endpoint or the portal.
            StripeUnavailable: Stripe does not answer.
        """
        access = await check_key(self.client, self.key, self.report)
        wanted = (ALL_EVENTS,) if answers.all_events else types
        url = choose_webhook_url(answers.webhook_url, split_domains(self.env.get("DOMAIN")))
        if url:
            check_webhook_url(url, access.mode, self.api_base)
            if self._allows(access, "the webhook endpoint", "webhook_write"):
                await self._register(WantedEndpoint(url, wanted, answers.new_endpoint))
        else:
            self._explain_missing_url()
        if self._allows(access, "the portal", "customer_portal_write", "plan_read"):
            await self._configure_portal()

    def _allows(self, access: KeyAccess, part: str, *slugs: str) -> bool:
        if access.allows(slugs):
            return True
        self.report.todo(f"Stripe: {part} waits for the permissions of the key")
        return False

    async def _register(self, wanted: WantedEndpoint) -> None:
        def store(secrets: tuple[str, ...]) -> None:
            self.env.set("STRIPE_WEBHOOK_SECRETS", ",".join(secrets))
            self.save()

        secrets = tuple(_split(self.env.get("STRIPE_WEBHOOK_SECRETS")))
        await Registrar(self.client, wanted, secrets, store, self.report).register()

    def _explain_missing_url(self) -> None:
        if self.env.get("STRIPE_WEBHOOK_SECRETS"):
            self.report.keep("Stripe: no public domain, so STRIPE_WEBHOOK_SECRETS stays")
        elif self.api_base == STRIPE_API:
            self.report.todo(
                f"Stripe can't reach a gateway without a public domain. Run `{_LISTEN}` and put the"
                " secret that it prints into STRIPE_WEBHOOK_SECRETS"
            )
        else:
            self.report.todo("Stripe: give --webhook-url, so that the endpoint is registered")

    async def _configure_portal(self) -> None:
        configured = tuple(_split(self.env.get("GATEWAY_PORTAL_CONFIGURATIONS")))
        first = await Portal(self.client, self.report).set_up(configured)
        if first:
            self.env.set("GATEWAY_PORTAL_CONFIGURATIONS", ",".join((first, *configured[1:])))
            self.report.change(f"{self.env.file.name}: GATEWAY_PORTAL_CONFIGURATIONS={first}")
            self.save()


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
