"""Reports usage to Stripe, for the customer with a subscription that includes the meter."""

import logging
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING, NamedTuple

import stripe

from gateway.billing.usage.meters import Meter, Meters
from gateway.errors import Conflict, Forbidden, NotFound, StripeRefused, invalid_field
from gateway.ids import idempotency_key
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.billing import METERED, MeteredRequest
from gateway.pocketbase.hook_call import call_hook
from gateway.stripe_api import translate_errors

if TYPE_CHECKING:
    from stripe.params.billing import MeterEventAdjustmentCreateParams, MeterEventCreateParams

_log = logging.getLogger(__name__)

#: The largest absolute value of one report.
MAX_VALUE = 1_000_000_000
#: Tolerated difference between the caller's clock and Stripe's.
_SKEW_SECONDS = 60
#: Significant digits and decimal places that Stripe keeps.
MAX_DIGITS, MAX_PLACES = 15, 12


class NothingMetered(Forbidden):
    """No running subscription includes this meter."""


class MeterArchived(Conflict):
    """The seller has archived this meter."""


class UsageNotFound(NotFound):
    """Stripe has no report with this identifier from the last 24 hours."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One report of usage."""

    #: The record id of the paying user, "" for an organization.
    user: str
    #: The meter's event name.
    meter: str
    #: Up to 1,000,000,000; rounded to 15 digits, at most 12 after the decimal point.
    value: int | float | Decimal
    #: The first report of a payer with this identifier counts; Stripe keeps it for a day or more.
    identifier: str
    #: Unix seconds by Stripe's clock, by default now: up to 35 days ago or 5 minutes ahead.
    timestamp: int | None = None
    #: The record id of the paying organization, "" for a user.
    organization: str = ""
    #: Whether the value may be negative, to correct earlier reports.
    correction: bool = False


class _Payer(NamedTuple):
    #: The Stripe id.
    customer: str
    #: The start of the subscription with the meter, in Unix seconds.
    since: int


class UsageRecorder:
    """Reports usage for /usage, and for code in the gateway's process."""

    def __init__(self, pocketbase: PocketBase, client: stripe.StripeClient) -> None:
        self._pocketbase = pocketbase
        self._stripe = client
        self._meters = Meters(client)

    async def record(self, usage: Usage) -> bool:
        """Report usage; return False if the identifier was reported before.

        Raises:
            InvalidRequest: value or time is out of bounds, or the meter does not exist.
            MeterArchived: the meter does not accept usage.
            NothingMetered: the payer has no running subscription with the meter.
            StripeUnavailable, StripeRefused, PocketBaseUnavailable
        """
        value = _read_value(usage)
        meter, payer = await self._find(usage)
        try:
            return await self._send(_params(usage, value, meter, payer))
        except StripeRefused as refused:
            # The meter may have been archived or replaced since it was cached.
            self._meters.forget()
            current, payer = await self._find(usage)
            if current == meter:
                raise _as_problem(refused) from refused
        return await self._send(_params(usage, value, current, payer))

    async def cancel(self, usage: Usage) -> None:
        """Cancel the report with this identifier, made in the last 24 hours.

        Raises:
            UsageNotFound: Stripe can't cancel it.
            InvalidRequest, MeterArchived, NothingMetered: as `record`.
            StripeUnavailable, StripeRefused, PocketBaseUnavailable
        """
        meter, payer = await self._find(usage)
        params: MeterEventAdjustmentCreateParams = {
            "event_name": meter.event_name,
            "type": "cancel",
            "cancel": {"identifier": _identifier(usage, meter, payer)},
        }
        try:
            with translate_errors():
                await self._stripe.v1.billing.meter_event_adjustments.create_async(params)
        except StripeRefused as refused:
            if refused.stripe.status in (400, 404):
                raise UsageNotFound from refused
            raise

    async def _find(self, usage: Usage) -> tuple[Meter, _Payer]:
        """Return the meter and the payer; read both again before a refusal."""
        meter = await self._meters.find(usage.meter)
        payer = await self._find_payer(usage, meter) if meter and meter.is_active else None
        if payer is None:
            await self._meters.refresh()
            meter = await self._meters.find(usage.meter)
            payer = await self._find_payer(usage, meter) if meter and meter.is_active else None
        if meter is None:
            raise invalid_field(
                "meter", "meter_unknown", "The account has no meter with this event name."
            )
        if not meter.is_active:
            _log.error("meter archived", extra={"meter": meter.stripe_id})
            message = f"The meter {meter.event_name} is archived and does not accept usage."
            raise MeterArchived(message, {"meter": {"code": "meter_archived", "message": message}})
        if payer is None:
            raise NothingMetered
        if usage.timestamp is not None and usage.timestamp < payer.since - _SKEW_SECONDS:
            message = (
                "The time is before the start of the subscription, so Stripe would not bill it."
            )
            raise invalid_field("timestamp", "timestamp_before_subscription", message)
        return meter, payer

    async def _find_payer(self, usage: Usage, meter: Meter) -> _Payer | None:
        request = MeteredRequest(
            user=usage.user, organization=usage.organization, meter=meter.stripe_id
        )
        answer = await call_hook(self._pocketbase, METERED, request)
        return _Payer(answer.customer, answer.since) if answer.customer else None

    async def _send(self, params: "MeterEventCreateParams") -> bool:
        try:
            with translate_errors():
                await self._stripe.v1.billing.meter_events.create_async(params)
        except StripeRefused as refused:
            code = refused.stripe.code
            if code == "duplicate_meter_event":
                return False
            if code.startswith("timestamp_"):
                message = "The time must be within the last 35 days, or up to 5 minutes ahead."
                raise invalid_field("timestamp", code, message) from refused
            raise
        return True


def _params(usage: Usage, value: str, meter: Meter, payer: _Payer) -> "MeterEventCreateParams":
    params: MeterEventCreateParams = {
        "event_name": meter.event_name,
        "payload": {meter.customer_key: payer.customer, meter.value_key: value},
        "identifier": _identifier(usage, meter, payer),
    }
    if usage.timestamp is not None:
        params["timestamp"] = max(usage.timestamp, payer.since)
    return params


def _identifier(usage: Usage, meter: Meter, payer: _Payer) -> str:
    """Scope the identifier to customer and meter, so that equal ones don't collide."""
    return idempotency_key("usage", payer.customer, meter.stripe_id, usage.identifier)


def _read_value(usage: Usage) -> str:
    """Return the value as a request parameter."""
    value = _as_decimal(usage.value)
    minimum = -MAX_VALUE if usage.correction else 0
    if value is None or not minimum <= value <= MAX_VALUE:
        raise _out_of_bounds(f"The value must be {minimum} to {MAX_VALUE}.")
    if not usage.identifier:
        raise invalid_field("identifier", "required", "Send an identifier.")
    return f"{_rounded(value):f}"


def _rounded(value: Decimal) -> Decimal:
    """Round to the digits that Stripe keeps: a caller's 0.1 + 0.2 becomes 0.3."""
    found = Context(prec=MAX_DIGITS).plus(value)
    return round(found, MAX_PLACES).normalize() + 0


def _out_of_bounds(message: str) -> Exception:
    return invalid_field("value", "value_out_of_bounds", message)


def _as_decimal(value: object) -> Decimal | None:
    """Return the number as written, so that 0.1 stays 0.1; None for other types."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    found = Decimal(str(value))
    return found if found.is_finite() else None


def _as_problem(refused: StripeRefused) -> Exception:
    if refused.stripe.code in ("meter_event_customer_not_found", "resource_missing"):
        return NothingMetered()
    return refused
