"""Reads an event from its stored payload, which was validated at delivery."""

from dataclasses import dataclass

from gateway.rows import Json


@dataclass(frozen=True, slots=True)
class PayloadEvent:
    """A stored event; implements `SourceEvent`."""

    stripe_id: str
    type: str
    created: int
    object: Json
    #: The values that an update replaced, None for another event.
    previous: Json | None = None
    account: str = ""
    is_thin: bool = False


def read_event(payload: Json) -> PayloadEvent:
    """Return the event of a decoded payload that includes its object."""
    return PayloadEvent(
        stripe_id=payload["id"],
        type=payload["type"],
        created=payload["created"],
        object=payload["data"]["object"],
        previous=payload["data"].get("previous_attributes"),
    )
