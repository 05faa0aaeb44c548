"""A subscription of the caller: its owner is read from PocketBase, its state from Stripe."""

import asyncio
import logging
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import quote

import stripe

from gateway.customers.buyer import Buyer, read_buyer
from gateway.errors import Conflict, GatewayError, NotFound, PaymentRequired
from gateway.mirror.nested_lists import complete
from gateway.pocketbase import PocketBaseRefused
from gateway.rows import Json
from gateway.services import Services
from gateway.stripe_api import Missing, Snapshot, read_object
from gateway.stripe_api.fields import as_dict, as_list, as_text, stripe_id
from gateway.vocabulary import ENDED_SUBSCRIPTION, SCHEDULE_METADATA

_log = logging.getLogger(__name__)

#: Another request may still be writing the phases of a schedule that is younger than this.
_PLANNING_SECONDS = 10
_MAX_PLANNING_READS, _PLANNING_PAUSE_SECONDS = 8, 0.25


class NoSubscription(NotFound):
    """There is no such subscription."""


@dataclass(frozen=True, slots=True)
class CustomerSubscription:
    """A subscription that the buyer may change, in its present state at Stripe."""

    buyer: Buyer
    snapshot: Snapshot
    #: The version of PocketBase's row, read before the snapshot; it changes with each change.
    version: str

    @property
    def body(self) -> Json:
        """Stripe's subscription, ``latest_invoice``, ``discounts`` and ``schedule`` expanded."""
        return self.snapshot.body

    @property
    def seats(self) -> int:
        """The number of members of the paying organization, at least 1; 0 if a user pays.

        Counted in PocketBase, because Stripe's quantity and metadata may be out of date.
        """
        own = self.buyer.subscription
        return max(1, own.members) if own and own.organization else 0

    @property
    def planned(self) -> Json:
        """The gateway's schedule of a change at the period's end; {} without one."""
        schedule = as_dict(self.body.get("schedule"))
        return schedule if as_dict(schedule.get("metadata")).get(SCHEDULE_METADATA) else {}

    @property
    def stripe_id(self) -> str:
        """The subscription's id."""
        return stripe_id(self.body)

    @property
    def status(self) -> str:
        """Stripe's status."""
        return as_text(self.body.get("status"))

    @property
    def items(self) -> list[Json]:
        """The subscription items."""
        return as_list(self.body.get("items"))

    @property
    def has_ended(self) -> bool:
        """Whether it can't change any more."""
        return self.status in ENDED_SUBSCRIPTION

    @property
    def invoice(self) -> Json:
        """The latest invoice, {} if there is none."""
        return as_dict(self.body.get("latest_invoice"))

    @property
    def now(self) -> int:
        """The time of the snapshot in Unix seconds, by Stripe's clock."""
        return self.snapshot.until - 1


async def read_buyer_of(
    services: Services, token: str, subscription: str = "", organization: str = ""
) -> Buyer:
    """Return the caller, and count the request for the rate limit.

    Args:
        subscription, organization: see `read_buyer`.

    Raises:
        RateLimited: the user has exceeded GATEWAY_RATE_LIMIT_USER.
        Unauthenticated, NoOrganization, PocketBaseUnavailable
    """
    buyer = await read_buyer(
        services.pocketbase, token, subscription=subscription, organization=organization
    )
    await services.rate_limits.count_user(buyer.user)
    return buyer


async def get_subscription(
    services: Services, token: str, subscription: str
) -> CustomerSubscription:
    """Return a subscription of the caller, with its present state at Stripe.

    Args:
        subscription: its Stripe id.

    Raises:
        NoSubscription: it does not exist or belongs to another payer; the answer is the same.
        RateLimited, Unauthenticated, PocketBaseUnavailable, StripeUnavailable, StripeRefused
    """
    buyer = await read_buyer_of(services, token, subscription)
    own = buyer.subscription
    if own is None:
        raise NoSubscription
    try:
        snapshot = await _read_settled(services.stripe, own.stripe_id)
    except Missing:
        raise NoSubscription from None
    if stripe_id(snapshot.body.get("customer")) != own.customer:
        _log.error("subscription of another customer", extra={"subscription": own.stripe_id})
        raise NoSubscription
    return CustomerSubscription(buyer, snapshot, own.version)


async def reread(services: Services, subscription: CustomerSubscription) -> CustomerSubscription:
    """Read a subscription from Stripe again.

    Raises:
        StripeUnavailable, StripeRefused
    """
    snapshot = await _read(services.stripe, subscription.stripe_id)
    return replace(subscription, snapshot=snapshot)


async def refresh(services: Services, changed: CustomerSubscription) -> CustomerSubscription:
    """Read a subscription after a change, and write its row and those of its invoice and schedule.

    Raises:
        StripeUnavailable, StripeRefused
    """
    fresh = await reread(services, changed)
    for body in filter(None, (fresh.body, fresh.invoice, fresh.planned)):
        try:
            await services.sync_snapshot(replace(fresh.snapshot, body=body))
        except (GatewayError, PocketBaseRefused) as error:
            # The change is done, and its webhook will update the row.
            _log.warning(
                "row refresh failed", extra={"object": stripe_id(body), "reason": str(error)}
            )
    return fresh


def require_live(subscription: CustomerSubscription) -> None:
    """Refuse requests that an ended subscription does not allow.

    Raises:
        Conflict
    """
    if subscription.has_ended:
        raise conflict("subscription_ended", "The subscription has ended.")


def payment_required(subscription: CustomerSubscription) -> PaymentRequired:
    """Return the error for a change that is pending until its invoice is paid.

    ``data.payment`` has the invoice's page and, if Stripe returns it, the client secret for
    Stripe.js.
    """
    payment = {
        "code": "payment_incomplete",
        "message": "The change takes effect when its invoice is paid.",
    }
    return PaymentRequired(data={"payment": payment | describe_payment(subscription)})


def describe_payment(subscription: CustomerSubscription) -> dict[str, str]:
    """Return the latest invoice's id, page and client secret; {} if it is not payable."""
    invoice = subscription.invoice
    if invoice.get("status") not in ("open", "uncollectible"):
        return {}
    payment = {
        "invoice": stripe_id(invoice),
        "hosted_invoice_url": as_text(invoice.get("hosted_invoice_url")),
        "client_secret": as_text(as_dict(invoice.get("confirmation_secret")).get("client_secret")),
    }
    return {key: value for key, value in payment.items() if value}


def conflict(code: str, message: str) -> Conflict:
    """Return the 409 for the state of a subscription."""
    return Conflict(message, {"subscription": {"code": code, "message": message}})


async def _read_settled(client: stripe.StripeClient, subscription: str) -> Snapshot:
    """Read a subscription; wait while another request may be writing its new schedule."""
    snapshot = await _read(client, subscription)
    for _ in range(_MAX_PLANNING_READS):
        if not _is_being_planned(snapshot):
            break
        await asyncio.sleep(_PLANNING_PAUSE_SECONDS)
        snapshot = await _read(client, subscription)
    return snapshot


def _is_being_planned(snapshot: Snapshot) -> bool:
    schedule = as_dict(snapshot.body.get("schedule"))
    is_bare = bool(schedule) and not schedule.get("metadata") and len(schedule["phases"]) == 1
    return is_bare and schedule["created"] >= snapshot.until - _PLANNING_SECONDS


async def _read(client: stripe.StripeClient, subscription: str) -> Snapshot:
    path = f"/v1/subscriptions/{quote(subscription, safe='')}"
    expanded = "expand[]=discounts&expand[]=latest_invoice.confirmation_secret&expand[]=schedule"
    read = partial(read_object, client)
    return await complete(read, await read(f"{path}?{expanded}"))
