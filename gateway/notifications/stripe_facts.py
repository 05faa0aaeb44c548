"""Reads the facts of a mail from Stripe when the mail is sent.

An event shows neither the first invoice's amount after a trial (with coupons and tax), nor whether
the customer has a payment method, nor whether a failed payment needs authentication.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

import stripe

from gateway.errors import StripeRefused
from gateway.notifications.current_facts import CurrentRows, clean_locale, presented, presented_of
from gateway.notifications.notification import Notification
from gateway.notifications.trial_end import missing_payment_method
from gateway.rows import Json
from gateway.stripe_api import Missing, read_object, translate_errors
from gateway.stripe_api.fields import as_dict, as_list

#: Statuses of a PaymentIntent that needs no action of the customer.
_UNDER_WAY = ("processing", "succeeded", "canceled")
_PAYMENTS = "expand[]=payments.data.payment.payment_intent"


@dataclass(frozen=True, slots=True)
class StripeFacts:
    """Completes notifications with current facts from Stripe."""

    client: stripe.StripeClient

    async def complete(self, found: Notification, context: CurrentRows) -> Notification:
        """Return the notification with Stripe's facts; unchanged if Stripe lacks the object.

        Raises:
            StripeUnavailable: the mail must be retried later.
        """
        read = self._readers.get(found.kind)
        if read is None or not found.is_current:
            return found
        try:
            return await read(found, context)
        except (Missing, StripeRefused):
            return found

    @property
    def _readers(
        self,
    ) -> Mapping[str, Callable[[Notification, CurrentRows], Awaitable[Notification]]]:
        return {
            "trial_ending": self._complete_trial,
            "renewal": self._complete_renewal,
            "receipt": self._complete_receipt,
            "payment_failed": self._complete_failure,
            "action_required": self._complete_failure,
        }

    async def _read_subscription(self, stripe_id: str) -> tuple[Json, Json]:
        """Return a subscription and its customer."""
        path = f"/v1/subscriptions/{quote(stripe_id, safe='')}?expand[]=customer"
        subscription = (await read_object(self.client, path)).body
        return subscription, as_dict(subscription.get("customer"))

    async def _complete_renewal(self, found: Notification, context: CurrentRows) -> Notification:
        """Mark a renewal as outdated if the trial's end ends or pauses the subscription."""
        if as_dict(context.row).get("status") != "trialing":
            return found
        subscription, customer = await self._read_subscription(found.object_id)
        behavior = missing_payment_method(subscription)
        is_stopped = behavior in ("cancel", "pause")
        is_missing = _payment_method(subscription, customer) == "missing"
        return replace(found, is_current=not (is_stopped and is_missing))

    async def _complete_trial(self, found: Notification, context: CurrentRows) -> Notification:
        subscription, customer = await self._read_subscription(found.object_id)
        facts = {"payment_method": _payment_method(subscription, customer)}
        locales = customer.get("preferred_locales") or [""]
        found = replace(
            found,
            facts=found.facts | facts,
            locale=clean_locale(locales[0]) or found.locale,
        )
        return replace(found, facts=found.facts | await self._preview(found.object_id))

    async def _preview(self, subscription: str) -> Json:
        """Preview a subscription's next invoice, with discounts, tax and customer balance."""
        try:
            with translate_errors():
                preview = await self.client.v1.invoices.create_preview_async(
                    {"subscription": subscription}
                )
        except StripeRefused:
            return {}
        credit = max(0, preview.total - preview.amount_due)
        return {"amount": preview.total, "currency": preview.currency, "credit": credit}

    async def _complete_receipt(self, found: Notification, context: CurrentRows) -> Notification:
        # A row that is not current yet may lack the buyer's amount and currency.
        is_known = as_dict(context.payment).get("status") == "succeeded"
        if is_known or found.collection != "invoices":
            return found
        intent = await self._read_intent(found.object_id)
        return replace(found, facts=found.facts | presented_of(found, intent))

    async def _complete_failure(self, found: Notification, context: CurrentRows) -> Notification:
        """Add the open amount in the buyer's currency, and whether it is still due."""
        if found.collection != "invoices":
            return found
        intent = await self._read_intent(found.object_id)
        facts = presented(intent) | {"needs_action": intent.get("status") == "requires_action"}
        return replace(
            found,
            facts=found.facts | facts,
            is_current=intent.get("status") not in _UNDER_WAY,
        )

    async def _read_intent(self, invoice: str) -> Json:
        """Return the latest PaymentIntent of an invoice, {} if it has none."""
        path = f"/v1/invoices/{quote(invoice, safe='')}?{_PAYMENTS}"
        payments = as_list((await read_object(self.client, path)).body.get("payments"))
        intents = [as_dict(each.get("payment")).get("payment_intent") for each in payments]
        found = [intent for intent in intents if isinstance(intent, dict)]
        return max(found, key=lambda intent: intent.get("created") or 0, default={})


def _payment_method(subscription: Json, customer: Json) -> str:
    """Return whether Stripe finds a payment method when the trial ends: present or missing."""
    places = (
        subscription.get("default_payment_method"),
        subscription.get("default_source"),
        as_dict(customer.get("invoice_settings")).get("default_payment_method"),
        customer.get("default_source"),
    )
    is_invoiced = subscription.get("collection_method") == "send_invoice"
    return "present" if is_invoiced or any(places) else "missing"
