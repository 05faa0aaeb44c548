"""Maps Stripe's event types to kinds of notifications, and reads their facts. Pure.

A purchase has one receipt: of the invoice, or without one, of the Checkout Session. The invoice of
``invoice.upcoming`` has no id yet, so that notification is about the subscription. The facts are
the event's; ``current_facts`` updates them when a mail is sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple, get_args

from gateway.mirror.nested_lists import is_truncated
from gateway.mirror.registry import entry_of
from gateway.notifications.current_facts import clean_locale, presented
from gateway.notifications.current_facts import is_current as is_current
from gateway.notifications.fact_values import clean_fact, clean_line
from gateway.notifications.notification import Notification, SourceEvent
from gateway.notifications.trial_end import estimate, missing_payment_method
from gateway.rows import Json
from gateway.settings import MailKind
from gateway.stripe_api.fields import as_dict, as_list, as_text, invoice_subscription, stripe_id

_MAX_LINES = 20
_NOT_REFUNDED: Json = {"refunded": 0, "refunded_currency": ""}


class Subject(NamedTuple):
    """The mirrored row that a notification is about, and its facts."""

    collection: str
    stripe_id: str
    facts: Json
    #: The e-mail address in the object.
    address: str = ""


def _read_owed(invoice: Json) -> Subject | None:
    facts = {
        "amount": invoice.get("amount_remaining"),
        "link": invoice.get("hosted_invoice_url"),
        "next_attempt": invoice.get("next_payment_attempt"),
        "subscription_ended": False,
        "needs_action": False,
    }
    return _invoice(invoice, facts)


def _read_paid(invoice: Json) -> Subject | None:
    """Return None for an invoice of 0, such as a trial's."""
    if not invoice.get("amount_paid"):
        return None
    facts = {
        "amount": invoice.get("amount_paid"),
        "link": invoice.get("hosted_invoice_url"),
        "pdf": invoice.get("invoice_pdf"),
        **_NOT_REFUNDED,
    }
    return _invoice(invoice, facts)


def _invoice(invoice: Json, facts: Json) -> Subject:
    shown = as_list(invoice.get("lines"))
    lines = [clean_line(line.get("description")) for line in shown[:_MAX_LINES]]
    if len(shown) > _MAX_LINES or is_truncated(invoice):
        lines.append("…")
    facts |= {
        "currency": invoice.get("currency"),
        "number": invoice.get("number"),
        "lines": lines,
    }
    return Subject("invoices", stripe_id(invoice), facts, clean_line(invoice.get("customer_email")))


def _read_upcoming(invoice: Json) -> Subject | None:
    """Return None for a renewal of 0; a positive one may be covered by credit."""
    due = invoice.get("amount_due")
    total = due or invoice.get("total")
    if not isinstance(total, int) or total <= 0:
        return None
    facts = {
        "amount": total,
        "covered_by_credit": not due,
        "plus_usage": False,
        "at": invoice.get("next_payment_attempt") or invoice.get("period_end"),
    }
    about = _invoice(invoice, facts)
    return about._replace(collection="subscriptions", stripe_id=invoice_subscription(invoice))


def _read_trial(subscription: Json) -> Subject | None:
    """Read the end of a trial, which without a payment method may end or pause the subscription."""
    is_invoiced = subscription.get("collection_method") == "send_invoice"
    method = subscription.get("default_payment_method") or subscription.get("default_source")
    facts = {
        "at": subscription.get("trial_end"),
        "amount": estimate(subscription),
        "currency": subscription.get("currency"),
        # cancel, pause or create_invoice
        "without_payment_method": missing_payment_method(subscription),
        # The customer's own default is not shown.
        "payment_method": "present" if method or is_invoiced else "unknown",
        "credit": 0,
        "plus_usage": False,
    }
    return Subject("subscriptions", stripe_id(subscription), facts)


def _read_session(session: Json) -> Subject | None:
    """Read a one-time purchase; None with an invoice, which has its own events."""
    if session.get("mode") != "payment" or session.get("invoice"):
        return None
    facts: Json = {
        "amount": session.get("amount_total"),
        "currency": session.get("currency"),
        "number": None,
        "link": None,
        "pdf": None,
        "next_attempt": None,
        "lines": [],
        "subscription_ended": False,
        "needs_action": False,
        **_NOT_REFUNDED,
        **presented(session),
    }
    email = as_dict(session.get("customer_details")).get("email") or session.get("customer_email")
    return Subject("checkout_sessions", stripe_id(session), facts, clean_line(email))


def _read_paid_session(session: Json) -> Subject | None:
    """Return None for delayed payments that are not paid yet, and for free purchases."""
    if session.get("payment_status") != "paid" or not session.get("amount_total"):
        return None
    return _read_session(session)


def _read_refund(refund: Json) -> Subject | None:
    facts = {
        "amount": refund.get("amount"),
        "currency": refund.get("currency"),
        "status": as_text(refund.get("status")),
        **presented(refund),
    }
    return Subject("refunds", stripe_id(refund), facts)


def _read_dispute(dispute: Json) -> Subject | None:
    mode = "" if dispute.get("livemode") else "test/"
    facts = {
        "amount": dispute.get("amount"),
        "currency": dispute.get("currency"),
        "reason": dispute.get("reason"),
        "status": as_text(dispute.get("status")),
        "charge": stripe_id(dispute.get("charge")),
        "due_by": as_dict(dispute.get("evidence_details")).get("due_by"),
        "link": f"https://dashboard.stripe.com/{mode}disputes/{stripe_id(dispute)}",
    }
    return Subject("disputes", stripe_id(dispute), facts)


def _read_unfinalized(invoice: Json) -> Subject | None:
    """The invoice is not charged until the seller fixes the cause."""
    error = as_dict(invoice.get("last_finalization_error"))
    mode = "" if invoice.get("livemode") else "test/"
    facts = {
        "amount": invoice.get("total"),
        "reason": error.get("message") or error.get("code") or error.get("type"),
        "code": error.get("code"),
        "invoice": stripe_id(invoice),
        "link": f"https://dashboard.stripe.com/{mode}invoices/{stripe_id(invoice)}",
    }
    return _invoice(invoice, facts)


#: Event type → kind and reader.
KINDS: Mapping[str, tuple[MailKind, Callable[[Json], Subject | None]]] = {
    "invoice.payment_failed": ("payment_failed", _read_owed),
    "checkout.session.async_payment_failed": ("payment_failed", _read_session),
    # The bank requires authentication, on the page of the link.
    "invoice.payment_action_required": ("action_required", _read_owed),
    # Three days before the end of a trial.
    "customer.subscription.trial_will_end": ("trial_ending", _read_trial),
    # Some days before a renewal, as set in Stripe's dashboard.
    "invoice.upcoming": ("renewal", _read_upcoming),
    "invoice.paid": ("receipt", _read_paid),
    "checkout.session.completed": ("receipt", _read_paid_session),
    "checkout.session.async_payment_succeeded": ("receipt", _read_paid_session),
    "refund.created": ("refund", _read_refund),
    # To the seller.
    "charge.dispute.created": ("dispute", _read_dispute),
    "invoice.finalization_failed": ("finalization_failed", _read_unfinalized),
}

#: All kinds.
NAMES: tuple[MailKind, ...] = get_args(MailKind)


def describe(event: SourceEvent) -> Notification:
    """Return the notification of an event; ``kind`` is "" if it has no mail."""
    kind, read = KINDS.get(event.type, ("", None))
    subject = read(event.object) if read else None
    found = Notification(
        id=event.stripe_id,
        type=event.type,
        created=event.created,
        kind=kind if subject else "",
        object=event.object,
        customer=stripe_id(event.object.get("customer")),
    )
    if not subject:
        return _name_row(found)
    return replace(
        found,
        facts={name: clean_fact(value) for name, value in subject.facts.items()},
        collection=subject.collection,
        object_id=subject.stripe_id,
        address=subject.address,
        locale=clean_locale(event.object.get("locale")),
    )


def _name_row(found: Notification) -> Notification:
    """Name the mirrored row of the event's object, if it has an id and a type."""
    kind, object_id = found.object.get("object"), stripe_id(found.object)
    if not isinstance(kind, str) or not object_id:
        return found
    return replace(found, collection=entry_of(kind).collection, object_id=object_id)
