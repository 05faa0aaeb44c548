"""Updates a notification with the current rows of the mirror. Pure.

An event shows its object at that time. Until the mail is sent, the invoice may be paid, the
subscription canceled or paused, or the refund may have failed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.dates import column_to_unix
from gateway.notifications.notification import Notification
from gateway.pocketbase.contracts.work_event import MailContext
from gateway.rows import Json
from gateway.stripe_api.fields import as_dict, as_text
from gateway.vocabulary import ENDED_SUBSCRIPTION

_OVER = (*ENDED_SUBSCRIPTION, "unpaid", "paused")
#: Statuses of the row in which a kind is outdated.
_OUTDATED: Mapping[str, tuple[str, ...]] = {
    "payment_failed": ("paid", "void", "uncollectible"),
    "action_required": ("paid", "void", "uncollectible"),
    "trial_ending": ("active", "past_due", *_OVER),
    "renewal": _OVER,
    "refund": ("failed", "canceled"),
    "finalization_failed": ("open", "paid", "void", "uncollectible"),
}
#: Kinds about a future charge: skipped if the subscription ends or is paused before it.
_CONTINUING = ("trial_ending", "renewal")
_OWED = ("payment_failed", "action_required")


@dataclass(frozen=True, slots=True)
class CurrentRows:
    """Current rows, which PocketBase returns with a claimed item."""

    #: The row that the notification is about, None if it does not exist yet.
    row: Json | None = None
    #: ``status`` of an invoice's subscription.
    subscription: Json | None = None
    #: ``status``, ``amount_received`` and ``presentment_details`` of the PaymentIntent of an
    #: invoice or session.
    payment: Json | None = None
    #: The refunded amount of that payment, in its own currency.
    refunded: int = 0
    #: Whether the mirror has a payment method of the customer.
    has_payment_method: bool = False
    #: Whether usage is billed on top of what an invoice shows so far.
    is_metered: bool = False
    #: The customer's language, such as ``de`` or ``pt-BR``.
    locale: str = ""


def read_current_rows(row: Json | None, context: MailContext) -> CurrentRows:
    """Return the current rows of a claimed item."""
    return CurrentRows(
        row=row,
        subscription=context.subscription.model_dump() if context.subscription else None,
        payment=context.payment.model_dump() if context.payment else None,
        refunded=context.refunded,
        is_metered=context.metered,
        has_payment_method=context.has_payment_method,
        locale=context.locale,
    )


def is_current(kind: str, row: Json | None, at: object = None) -> bool:
    """Return whether a notification is not outdated; True without a row.

    Args:
        row: ``status``, ``cancel_at`` and ``pause_collection``, among others.
        at: unix seconds of the charge that the kind announces.
    """
    if row is None:
        return True
    if kind in _CONTINUING and (_ends_before(row, at) or is_paused(row, at)):
        return False
    if kind == "payment_failed" and row.get("payment_status") == "paid":
        return False
    return row.get("status") not in _OUTDATED.get(kind, ())


def _ends_before(row: Json, at: object) -> bool:
    ends = column_to_unix(row.get("cancel_at"))
    return ends is not None and not (isinstance(at, int) and at and ends > at)


def is_paused(subscription: Json, at: object) -> bool:
    """Return whether collection is paused at a time, so that nothing is charged then."""
    pause = as_dict(subscription.get("pause_collection"))
    resumes = pause.get("resumes_at")
    resumes_before = isinstance(resumes, int) and isinstance(at, int) and resumes <= at
    return bool(pause) and not resumes_before


def bring_up_to_date(found: Notification, context: CurrentRows) -> Notification:
    """Return the notification with the facts of the current rows."""
    facts = found.facts | _present_facts(found, context)
    if found.kind in _CONTINUING:
        facts |= {"plus_usage": context.is_metered}
    # The event may be the object's first, so that its row does not exist yet.
    subject = context.row or (found.object if found.collection == "subscriptions" else None)
    is_worth_sending = is_current(found.kind, context.row, facts.get("at"))
    is_worth_sending = is_worth_sending and not (
        found.kind in _CONTINUING and is_paused(subject or {}, facts["at"])
    )
    if found.kind == "action_required" and facts["subscription_ended"]:
        is_worth_sending = False
    locale = clean_locale(context.locale) or found.locale
    return replace(found, facts=facts, is_current=is_worth_sending, locale=locale)


def _present_facts(found: Notification, context: CurrentRows) -> Json:
    row = context.row or {}
    if found.kind in _OWED:
        return _owed_facts(found, row, context)
    if found.kind == "receipt":
        currency = found.facts["currency"]
        refunds = {"refunded": context.refunded, "refunded_currency": currency}
        return refunds | presented_of(found, as_dict(context.payment))
    if found.kind == "trial_ending":
        return _trial_facts(found, row, context)
    if found.kind in ("refund", "dispute") and row.get("status"):
        return {"status": as_text(row["status"])}
    return {}


def _trial_facts(found: Notification, row: Json, context: CurrentRows) -> Json:
    """Return the current end of the trial and payment method; Stripe may have newer facts."""
    is_missing = found.facts["payment_method"] == "unknown" and not context.has_payment_method
    facts: Json = {"payment_method": "missing"} if is_missing else {}
    ends = column_to_unix(row.get("trial_end"))
    return facts | ({"at": ends} if ends else {})


def _owed_facts(found: Notification, row: Json, context: CurrentRows) -> Json:
    """Return the amount still open and the time of Stripe's next attempt."""
    payment = as_dict(context.payment)
    facts: Json = {
        "subscription_ended": as_dict(context.subscription).get("status") in ENDED_SUBSCRIPTION,
        "needs_action": payment.get("status") == "requires_action",
    }
    if found.collection == "invoices" and row.get("status") == "open":
        facts["amount"] = row.get("amount_remaining") or found.facts["amount"]
        facts["next_attempt"] = column_to_unix(row.get("next_payment_attempt"))
    if facts["subscription_ended"]:
        facts["next_attempt"] = None
    return facts


def presented_of(found: Notification, payment: Json) -> Json:
    """Return amount and currency that the buyer paid; {} if the payment is only a part."""
    received = payment.get("amount_received")
    is_part = bool(received) and received != found.facts["amount"]
    return {} if found.collection == "invoices" and is_part else presented(payment)


def presented(item: Json) -> Json:
    """Return ``amount`` and ``currency`` as the buyer paid them; {} if the currency is the same.

    Adaptive Pricing shows the buyer's own currency: Stripe's ``presentment_details``.
    """
    details = as_dict(item.get("presentment_details"))
    amount, currency = details.get("presentment_amount"), details.get("presentment_currency")
    if not isinstance(amount, int) or not isinstance(currency, str) or not currency:
        return {}
    return {"amount": amount, "currency": currency.lower()}


def clean_locale(value: object) -> str:
    """Return a language tag such as ``de`` or ``pt-BR``, "" for anything else."""
    tag = as_text(value)
    parts = tag.split("-")
    is_tag = 2 <= len(parts[0]) <= 3 and all(part.isalnum() and part.isascii() for part in parts)
    return tag if is_tag and len(tag) <= 35 else ""
