"""Whether a change may be charged from the date of the preview that it names."""

from gateway.billing.clerk import Clerk
from gateway.billing.item_change import ItemChange, When
from gateway.billing.preview_token import (
    PreviewToken,
    describe_version,
    digest,
    read_preview,
    refuse_preview,
)
from gateway.billing.subscription import OwnedSubscription
from gateway.errors import Conflict, PocketBaseUnavailable
from gateway.pocketbase import PocketBaseRefused
from gateway.shapes import number

#: Seconds for which a preview holds. Longer, and the client would choose what is prorated.
PREVIEW_SECONDS = 900
#: Seconds for which a credit holds, counted from the change, where the last one was dated back.
_CREDIT_SECONDS = 60
_USE_ROUTE = "/api/gateway/previews/use"


def check_preview(
    clerk: Clerk,
    subscription: OwnedSubscription,
    change: ItemChange,
    when: When,
    given: str | int | None,
) -> PreviewToken | None:
    """Return the preview that a change names, if it is of this change.

    Args:
        given: the signed date of a preview, as the caller repeats it.

    Raises:
        InvalidRequest: it is none, or of another change.
    """
    if given is None:
        return None
    if isinstance(given, int):
        raise _refuse_number(subscription, change, given)
    token = read_preview(given, clerk.preview_keys)
    wanted = (subscription.stripe_id, digest(change.fingerprint))
    if (token.subscription, token.change) != wanted or when == "period_end":
        raise refuse_preview("preview_mismatch", "The preview is of another change.")
    return token


async def use_preview(
    clerk: Clerk, subscription: OwnedSubscription, token: PreviewToken, key: str
) -> int:
    """Take a preview once, and only for the state of the subscription that it was made of.

    Returns the Unix seconds from which the change is charged: the preview's. A credit that is dated
    back pays for time in which the larger plan was used, so one per day is; the next is counted
    from the change itself.

    Args:
        key: the caller's Idempotency-Key, "" if there is none.

    Raises:
        InvalidRequest: it is too old.
        Conflict: the subscription has changed since, or another request has used it.
        PocketBaseUnavailable
    """
    if subscription.now - token.date > PREVIEW_SECONDS:
        raise refuse_preview("preview_expired", "The preview is too old.")
    if token.version != describe_version(subscription.body):
        raise _outdated("preview_outdated", "The subscription has changed since the preview.")
    asked = {
        "preview": token.nonce,
        "key": digest(key) if key else "none",
        "subscription": subscription.stripe_id,
        "date": token.date,
        "now": subscription.now,
        "is_credit": token.is_credit,
    }
    try:
        used = await clerk.pocketbase.call("POST", _USE_ROUTE, asked)
    except PocketBaseRefused as refused:
        raise PocketBaseUnavailable from refused
    if used["changed"]:
        raise _outdated("preview_outdated", "The subscription has changed since the preview.")
    if used["key"] != asked["key"]:
        raise _outdated("preview_used", "The preview was used by another request.")
    if used["date"] - token.date > _CREDIT_SECONDS:
        raise _outdated("preview_outdated", "A credit was dated back within the last day.")
    return int(used["date"])


def _outdated(code: str, reason: str) -> Conflict:
    message = f"{reason} Ask for another preview."
    return Conflict(message, {"proration_date": {"code": code, "message": message}})


def _refuse_number(subscription: OwnedSubscription, change: ItemChange, date: int) -> Exception:
    """Who could choose the date could choose the amount."""
    start = int(number(change.item.get("current_period_start")))
    earliest = max(subscription.now - PREVIEW_SECONDS, start)
    if not earliest <= date <= subscription.now + 1:
        return refuse_preview("preview_expired", "The preview is too old.")
    return refuse_preview("preview_required", "A date that no preview has signed is not accepted.")
