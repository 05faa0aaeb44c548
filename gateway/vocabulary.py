"""Constants that Python and PocketBase's hooks share: pb_hooks/lib/vocabulary.json, read once.

An installed package and the Docker image have a copy of the file (gateway/pocketbase_files.py).
"""

import re
from dataclasses import dataclass
from typing import Any

from gateway.json_codec import load
from gateway.pocketbase_files import HOOKS


def _read() -> dict[str, Any]:
    text = (HOOKS / "lib" / "vocabulary.json").read_text(encoding="utf-8")
    found: dict[str, Any] = load(text)
    return found


_VOCABULARY = _read()

#: The version that the hooks must report; raised with every change of a route's meaning.
HOOKS_VERSION: int = _VOCABULARY["hooks_version"]
#: The migrations that PocketBase must have applied.
MIGRATIONS: tuple[str, ...] = tuple(_VOCABULARY["migrations"])
#: Key of a collection → its columns without ``id``, as the migrations create them.
COLLECTIONS: dict[str, frozenset[str]] = {
    name: frozenset(columns) for name, columns in _VOCABULARY["collections"].items()
}
#: Keys of the collections that only the gateway reads.
INTERNAL_COLLECTIONS: tuple[str, ...] = tuple(_VOCABULARY["internal_collections"])

_PREFIX_FORM = re.compile(r"(?!sqlite_)(?!.*_via_)[a-z]\w{0,39}", re.ASCII | re.IGNORECASE)
_NAME_FORM = re.compile(r"(?!sqlite_)(?!.*_via_)[a-z0-9]\w{0,99}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CollectionNames:
    """The names of the gateway's collections, as in pb_hooks/lib/names.js."""

    prefix: str = ""
    internal_prefix: str = "gateway_"
    #: The collection that buyers sign in to.
    auth: str = "users"

    def of(self, key: str) -> str:
        """Return the name of a collection.

        Args:
            key: its key in the vocabulary (the name without a prefix), or ``users``; any other
                name, such as that of a team's own mirror, is returned unchanged.
        """
        if key == "users":
            return self.auth
        if key in INTERNAL_COLLECTIONS:
            return self.internal_prefix + key
        return self.prefix + key if key in COLLECTIONS else key

    @property
    def is_clashing(self) -> bool:
        """Return whether one of the gateway's collections has the auth collection's name."""
        keys = {*COLLECTIONS, *INTERNAL_COLLECTIONS}
        return self.auth.lower() in {self.of(key).lower() for key in keys}


def check_prefix(value: str) -> str:
    """Return the prefix if collection names can begin with it.

    Raises:
        ValueError: PocketBase or SQLite would refuse the names.
    """
    return _check(_PREFIX_FORM, value, "begin with")


def check_name(value: str) -> str:
    """Return the name if a collection can have it.

    Raises:
        ValueError: PocketBase would refuse it.
    """
    return _check(_NAME_FORM, value, "be")


def _check(form: re.Pattern[str], value: str, verb: str) -> str:
    if value and not form.fullmatch(value):
        raise ValueError(
            f"no collection's name can {verb} {value!r}: use letters, digits and _, a letter first,"
            " without _via_"
        )
    return value


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
#: Prefix of the keys for the one-time items of a Checkout Session (`price:quantity`), from which
#: entitlements are computed, because Stripe's events don't include a session's items.
ITEM_METADATA = METADATA["item_prefix"]
#: Which of a buyer's exclusive purchases a Checkout Session is.
ATTEMPT_METADATA = METADATA["attempt"]
#: A hash of the Idempotency-Key of the request that created a Checkout Session.
KEY_METADATA = METADATA["key"]
#: Marks a guest's Checkout Session.
GUEST_METADATA = METADATA["guest"]
#: The end of a subscription that was agreed with the seller.
AGREED_END_METADATA = METADATA["agreed_end"]
#: Prefix of the keys for the coupons that a subscription has had.
COUPON_METADATA = METADATA["coupon_prefix"]

_SUBSCRIPTION: dict[str, list[str]] = _VOCABULARY["statuses"]["subscription"]
_SCHEDULE: dict[str, list[str]] = _VOCABULARY["statuses"]["subscription_schedule"]
#: Statuses that a subscription never leaves.
ENDED_SUBSCRIPTION = tuple(_SUBSCRIPTION["ended"])
#: Statuses in which all invoices of a subscription are paid.
PAID_SUBSCRIPTION = tuple(_SUBSCRIPTION["paid"])
#: Statuses in which an invoice of a subscription is unpaid.
UNPAID_SUBSCRIPTION = tuple(_SUBSCRIPTION["unpaid"])
#: Statuses that a subscription schedule never leaves.
ENDED_SCHEDULE = tuple(_SCHEDULE["ended"])
#: Statuses in which a subscription schedule still makes changes.
LIVE_SCHEDULE = tuple(_SCHEDULE["live"])
