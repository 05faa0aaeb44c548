"""The PocketBase writes that a team's function returns, as a part of its result."""

from typing import Any

from gateway.pocketbase.api import Batch
from gateway.work.outcome import GiveUp, RecordWrite


def read_writes(returned: Any) -> tuple[RecordWrite, ...]:
    """Return the writes of a batch that was not sent; none for None.

    Raises:
        GiveUp: the function returned something else, a batch that was sent, or one with files.
    """
    if returned is None:
        return ()
    if not isinstance(returned, Batch):
        raise GiveUp(
            f"The function returned {type(returned).__name__}: it may return None, or a batch of"
            " PocketBase writes that was not sent."
        )
    try:
        return tuple(
            RecordWrite(each.method, each.collection, each.id, each.values)
            for each in returned.take()
        )
    except RuntimeError as error:
        raise GiveUp(f"The function's batch can't be stored with its result: {error}") from error
