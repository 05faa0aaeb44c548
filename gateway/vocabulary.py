"""What Python and the hooks of PocketBase agree on: pb_hooks/lib/vocabulary.json, read once.

An installed package and the Docker image have a copy of the file beside this module. A checkout
has only the hooks' own.
"""

import json
from pathlib import Path
from typing import Any

_NAME = "vocabulary.json"
_HERE = Path(__file__).resolve().parent
_PLACES = (_HERE / _NAME, _HERE.parent / "pb_hooks" / "lib" / _NAME)


def _read() -> dict[str, Any]:
    path = next((place for place in _PLACES if place.is_file()), _PLACES[0])
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


_VOCABULARY = _read()

#: What the hooks must report; raised with every change of what a route means.
HOOKS_VERSION: int = _VOCABULARY["hooks_version"]
#: What pb_migrations/ must have applied.
MIGRATIONS: tuple[str, ...] = tuple(_VOCABULARY["migrations"])
#: Collection → its columns without ``id``, as the migrations make them.
COLLECTIONS: dict[str, frozenset[str]] = {
    name: frozenset(columns) for name, columns in _VOCABULARY["collections"].items()
}

#: Collections that have another name than their key.
_OWN_NAMES = {
    "users": _VOCABULARY["auth_collection"],
    "notifications": "stripe_notifications",
    "reconciliations": "stripe_reconciliations",
    "transforms": "gateway_transforms",
}


def collection_name(collection: str) -> str:
    """Return the name that one of the gateway's collections has in PocketBase."""
    return str(_OWN_NAMES.get(collection, collection))


#: The keys, and prefixes of keys, of Stripe metadata that are ours.
METADATA: dict[str, str] = _VOCABULARY["metadata"]
#: Names the PocketBase user in the gateway's Stripe objects.
USER_METADATA = METADATA["user"]
#: Names the organization that pays instead.
ORGANIZATION_METADATA = METADATA["organization"]
#: Marks a schedule as the gateway's.
SCHEDULE_METADATA = METADATA["schedule"]
#: In such a schedule: the prices that are paid per member, separated by commas.
BY_MEMBER_METADATA = METADATA["by_member"]
#: Prefix of the keys under which a Checkout Session names what it sells once (`price:quantity`):
#: entitlements follow from that, because Stripe's events don't show a session's items.
ITEM_METADATA = METADATA["item_prefix"]
#: Which of a buyer's exclusive purchases a Checkout Session is.
ATTEMPT_METADATA = METADATA["attempt"]
#: The Idempotency-Key under which a Checkout Session was asked for, as a hash.
KEY_METADATA = METADATA["key"]
#: Marks a Checkout Session for which nobody had to sign in.
GUEST_METADATA = METADATA["guest"]
#: The end of a subscription that was agreed with the seller.
AGREED_END_METADATA = METADATA["agreed_end"]
#: Prefix of the keys under which a subscription lists the coupons that it has had.
COUPON_METADATA = METADATA["coupon_prefix"]

_SUBSCRIPTION: dict[str, list[str]] = _VOCABULARY["statuses"]["subscription"]
_SCHEDULE: dict[str, list[str]] = _VOCABULARY["statuses"]["subscription_schedule"]
#: Statuses that a subscription never leaves.
ENDED_SUBSCRIPTION = tuple(_SUBSCRIPTION["ended"])
#: Statuses in which all invoices of a subscription are paid.
PAID_SUBSCRIPTION = tuple(_SUBSCRIPTION["paid"])
#: Statuses in which an invoice of a subscription is owed.
UNPAID_SUBSCRIPTION = tuple(_SUBSCRIPTION["unpaid"])
#: Statuses that a subscription schedule never leaves.
ENDED_SCHEDULE = tuple(_SCHEDULE["ended"])
#: Statuses in which a subscription schedule still acts.
LIVE_SCHEDULE = tuple(_SCHEDULE["live"])
