"""An event as it is stored, which was checked when it came."""

from dataclasses import dataclass

from gateway.rows import Json


@dataclass(frozen=True, slots=True)
class PayloadEvent:
    """What `Occurrence` asks for."""

    stripe_id: str
    type: str
    created: int
    object: Json
    account: str = ""
    is_thin: bool = False


def read_event(payload: Json) -> PayloadEvent:
    """Read the decoded body of an event that shows its object."""
    return PayloadEvent(
        stripe_id=payload["id"],
        type=payload["type"],
        created=payload["created"],
        object=payload["data"]["object"],
    )
