"""Checks that a change can be charged from the date of its preview."""

from gateway.billing.subscriptions.item_change import ItemChange, When
from gateway.billing.subscriptions.preview_token import (
    PreviewToken,
    derive_keys,
    describe_version,
    digest,
    read_preview,
    refuse_preview,
)
from gateway.billing.subscriptions.subscription import CustomerSubscription, reread
from gateway.errors import Conflict, PocketBaseUnavailable
from gateway.pocketbase import PocketBaseRefused
from gateway.pocketbase.contracts.billing import USE_PREVIEW, PreviewUse
from gateway.pocketbase.hook_call import call_hook
from gateway.services import Services
from gateway.stripe_api.fields import as_number

#: Seconds for which a preview is valid. A longer time would let clients choose the proration.
PREVIEW_SECONDS = 900
#: Seconds for which further previews with credit are valid, within a day of a backdated one.
_CREDIT_SECONDS = 60


def check_preview(
    services: Services,
    subscription: CustomerSubscription,
    change: ItemChange,
    when: When,
    given: str | int | None,
) -> PreviewToken | None:
    """Return the preview that `proration_date` names; None without one.

    Args:
        given: the request's `proration_date`.

    Raises:
        InvalidRequest: it is not from a preview, or from the preview of another change.
    """
    if given is None:
        return None
    if isinstance(given, int):
        raise _refuse_number(subscription, change, given)
    token = read_preview(given, derive_keys(services.settings.webhook_secrets))
    wanted = (subscription.stripe_id, digest(change.fingerprint))
    if (token.subscription, token.change) != wanted or when == "period_end":
        raise refuse_preview("preview_mismatch", "The preview is for another change.")
    return token


async def use_preview(
    services: Services,
    subscription: CustomerSubscription,
    change: ItemChange,
    token: PreviewToken,
    key: str,
) -> int | None:
    """Accept a preview once, and only while the subscription is in the previewed state.

    Returns the Unix seconds from which the change is charged: the preview's date; None if the same
    request, sent twice at once, has made the change in between. A backdated credit pays for time in
    which the larger plan was used, so only one per day is backdated; the next is prorated from the
    time of the change.

    Args:
        key: the caller's Idempotency-Key, "" without one.

    Raises:
        InvalidRequest: the preview has expired.
        Conflict: the subscription has changed since, or another request has used the preview.
        PocketBaseUnavailable
    """
    if subscription.now - token.date > PREVIEW_SECONDS:
        raise refuse_preview("preview_expired", "The preview has expired.")
    if token.version != describe_version(subscription.body):
        raise _outdated("preview_outdated", "The subscription has changed since the preview.")
    request = PreviewUse(
        preview=token.nonce,
        key=digest(key) if key else "none",
        subscription=subscription.stripe_id,
        date=token.date,
        now=subscription.now,
        is_credit=token.is_credit,
    )
    try:
        used = await call_hook(services.pocketbase, USE_PREVIEW, request)
    except PocketBaseRefused as refused:
        raise PocketBaseUnavailable from refused
    if used.changed:
        is_made = change.is_shown_by((await reread(services, subscription)).items)
        if is_made and used.key == request.key:
            return None
        raise _outdated("preview_outdated", "The subscription has changed since the preview.")
    if used.key != request.key:
        raise _outdated("preview_used", "The preview was used by another request.")
    if used.date - token.date > _CREDIT_SECONDS:
        raise _outdated(
            "preview_outdated",
            "After a preview with credit, others are valid for one minute only.",
        )
    return used.date


def _outdated(code: str, reason: str) -> Conflict:
    message = f"{reason} Ask for another preview."
    return Conflict(message, {"proration_date": {"code": code, "message": message}})


def _refuse_number(subscription: CustomerSubscription, change: ItemChange, date: int) -> Exception:
    """Return the error for an unsigned date: clients must not choose it, as it sets the amount."""
    start = int(as_number(change.item.get("current_period_start")))
    earliest = max(subscription.now - PREVIEW_SECONDS, start)
    if not earliest <= date <= subscription.now + 1:
        return refuse_preview("preview_expired", "The preview has expired.")
    return refuse_preview(
        "preview_required", "proration_date must be the signed value of a preview."
    )
