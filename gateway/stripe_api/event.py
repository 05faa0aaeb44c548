"""Parses Stripe events, snapshot and thin ones, from JSON. Performs no I/O."""

from dataclasses import dataclass, replace
from typing import Any

from gateway.dates import LAST_UNIX, from_iso
from gateway.errors import InvalidEvent
from gateway.rows import Json
from gateway.strict_json import describe_error, load_strictly

#: Stands for the test data of the own account, which is not its live data.
TEST_MODE = "test_mode"


@dataclass(frozen=True, slots=True)
class Event:
    """One Stripe event, as it was signed and as it reads."""

    stripe_id: str
    type: str
    #: Unix seconds by Stripe's clock.
    created: int
    #: The object as it was right after what happened; of a thin event, its ``object`` and ``id``.
    object: Json
    #: ``previous_attributes`` of ``*.updated``, None where Stripe sends none.
    previous: Json | None
    #: The account that the event is of, "" for the gateway's own; TEST_MODE for test data of a
    #: gateway with a live key.
    account: str
    api_version: str
    livemode: bool
    #: Whether the event only names its object, which is then read from Stripe.
    is_thin: bool
    #: The body's JSON as it was signed; where that is known to lose nothing, without its spaces.
    payload: str
    #: Of a thin event, the event that shows its object, if Stripe names one.
    snapshot: str = ""
    #: The account that ``context`` names, "" where the event has none, or has ``account``.
    context: str = ""

    @property
    def object_id(self) -> str:
        """The Stripe id of the object; of an entitlement summary, its customer's."""
        found = self.object.get("id") or self.object.get("customer")
        return found if isinstance(found, str) else ""


def parse(payload: str, own_account: str = "", *, only_live: bool = False) -> Event:
    """Read an event from its JSON text.

    Args:
        own_account: the id of the gateway's own Stripe account, "" if it is not known.
        only_live: whether events of test mode are of another account than the gateway's own.

    Raises:
        InvalidEvent: it is not a JSON object, repeats a key, or lacks a field of every event.
    """
    try:
        body, payload = load_strictly(payload)
    except (ValueError, RecursionError) as error:
        raise InvalidEvent(f"The body is not valid JSON: {describe_error(error)}.") from None
    if not isinstance(body, dict):
        raise InvalidEvent("The body is JSON, but not an object.")
    read = _read_thin if body.get("object") == "v2.core.event" else _read
    event = read(body, payload, own_account)
    is_of_other_mode = only_live and not event.livemode and not event.account
    return replace(event, account=TEST_MODE) if is_of_other_mode else event


def _read_account(body: Json, own_account: str) -> str:
    """Return the account that is not the gateway's own, "" for its own."""
    named = _optional_text(body, "account") or _read_context(body)
    return "" if named == own_account else named


def _read_context(body: Json) -> str:
    """Organization events and thin events name their account so; Connect snapshots ``account``."""
    return "" if _optional_text(body, "account") else _optional_text(body, "context")


def _read(body: Json, payload: str, own_account: str) -> Event:
    data = body.get("data")
    item = data.get("object") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(item, dict):
        raise InvalidEvent("The event has no data.object.")
    previous = data.get("previous_attributes")
    return Event(
        stripe_id=_text(body, "id"),
        type=_text(body, "type"),
        created=_seconds(body.get("created")),
        object=item,
        previous=previous if isinstance(previous, dict) else None,
        account=_read_account(body, own_account),
        api_version=_optional_text(body, "api_version"),
        livemode=body.get("livemode") is True,
        is_thin=False,
        payload=payload,
        context=_read_context(body),
    )


def _read_thin(body: Json, payload: str, own_account: str) -> Event:
    related = body.get("related_object")
    related = related if isinstance(related, dict) else {}
    return Event(
        stripe_id=_text(body, "id"),
        type=_text(body, "type"),
        created=_seconds(body.get("created")),
        object={
            "object": _optional_text(related, "type"),
            "id": _optional_text(related, "id"),
        },
        previous=None,
        account=_read_account(body, own_account),
        api_version="v2",
        livemode=body.get("livemode") is True,
        is_thin=True,
        payload=payload,
        snapshot=_optional_text(body, "snapshot_event"),
        context=_read_context(body),
    )


def _seconds(value: Any) -> int:
    """Unix seconds from a number, or from the date that v2 events carry."""
    if isinstance(value, str):
        try:
            return int(from_iso(value).timestamp())
        except ValueError:
            value = None
    # Until the year 9999: later ones have no date column.
    if type(value) is not int or not 0 < value <= LAST_UNIX:
        raise InvalidEvent("The event has no time of creation.")
    return value


def _text(body: Json, key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
        raise InvalidEvent(f"The event has no {key}.")
    return value


def _optional_text(body: Json, key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""
