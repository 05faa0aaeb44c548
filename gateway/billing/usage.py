"""Records usage at Stripe, for the customer whose subscription the meter bills."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from gateway.billing.meters import Meter, Meters
from gateway.errors import Forbidden, StripeRefused, invalid_field
from gateway.ids import idempotency_key
from gateway.pocketbase import PocketBase
from gateway.stripe_api import translate_errors

if TYPE_CHECKING:
    from stripe.params.billing import MeterEventCreateParams

_ROUTE = "/api/gateway/metered"
#: The most that one report may say.
MOST = 1_000_000_000
#: Seconds that the time of a report may lie behind and ahead, by Stripe's rules.
_BEHIND = 35 * 86_400
_AHEAD = 300


class NothingMetered(Forbidden):
    """No running subscription is billed by this meter."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One report of usage."""

    #: The PocketBase user who pays, "" for an organization.
    user: str
    #: The meter's event name.
    meter: str
    #: From 0 to a thousand million.
    value: int
    #: Reports of one payer with one identifier count once, for at least a day; the first counts.
    identifier: str
    #: Unix seconds, by default now; up to 35 days ago, and 5 minutes ahead.
    timestamp: int | None = None
    #: The organization that pays instead of a user.
    organization: str = ""


class UsageRecorder:
    """What code beside the gateway calls to report usage, and /usage as well."""

    def __init__(self, pocketbase: PocketBase, client: stripe.StripeClient) -> None:
        self._pocketbase = pocketbase
        self._stripe = client
        self._meters = Meters(client)

    async def record(self, usage: Usage) -> bool:
        """Report usage; return False if the identifier was known already.

        Raises:
            InvalidRequest: value or time is out of bounds, or there is no such meter.
            NothingMetered: the payer has no running subscription that the meter bills.
            StripeUnavailable, StripeRefused, PocketBaseUnavailable
        """
        _check(usage)
        meter = await self._meters.find(usage.meter)
        if meter is None:
            raise invalid_field("meter", "meter_unknown", "There is no such meter.")
        asked = {
            "user": usage.user,
            "organization": usage.organization,
            "meter": meter.stripe_id,
        }
        answer = await self._pocketbase.call("POST", _ROUTE, asked)
        if not answer["customer"]:
            raise NothingMetered
        return await self._send(_params(usage, meter, answer["customer"]))

    async def _send(self, params: "MeterEventCreateParams") -> bool:
        try:
            with translate_errors():
                await self._stripe.v1.billing.meter_events.create_async(params)
        except StripeRefused as refused:
            code = getattr(refused.__cause__, "code", None) or ""
            if code == "duplicate_meter_event":
                return False
            if code.startswith("timestamp_"):
                raise invalid_field("timestamp", code, "This time can't be reported.") from refused
            raise
        return True


def _params(usage: Usage, meter: Meter, customer: str) -> "MeterEventCreateParams":
    params: MeterEventCreateParams = {
        "event_name": meter.event_name,
        "payload": {meter.customer_key: customer, meter.value_key: str(usage.value)},
        # Nobody's identifier takes that of another customer or meter.
        "identifier": idempotency_key("usage", customer, meter.stripe_id, usage.identifier),
    }
    if usage.timestamp is not None:
        params["timestamp"] = usage.timestamp
    return params


def _check(usage: Usage) -> None:
    if type(usage.value) is not int or not 0 <= usage.value <= MOST:
        raise invalid_field("value", "value_out_of_bounds", f"The value must be 0 to {MOST}.")
    if not usage.identifier:
        raise invalid_field("identifier", "required", "An identifier is needed.")
    if usage.timestamp is not None:
        ahead = usage.timestamp - time.time()
        if not -_BEHIND <= ahead <= _AHEAD:
            message = "The time must be within the last 35 days, or 5 minutes ahead."
            raise invalid_field("timestamp", "timestamp_out_of_bounds", message)
