"""Checks that every mirrored object has the columns that ordering and ownership depend on.

Against the collections that the migrations make; /ready compares those with PocketBase's.
"""

from collections.abc import Iterable, Mapping, Set

from gateway.mirror.mirrored_object import MirroredObject
from gateway.start_error import StartError


class MirrorIncomplete(StartError):
    """A collection lacks columns that its registry entry needs; the message names them."""


def require_columns(
    registry: Iterable[MirroredObject], collections: Mapping[str, Set[str]]
) -> None:
    """Refuse a mirror that would lose the order or the owner of its rows without any error.

    Args:
        collections: the columns of each collection.

    Raises:
        MirrorIncomplete
    """
    for each in registry:
        missing = [
            column
            for column in each.required_columns
            if column not in collections.get(each.collection, ())
        ]
        if missing:
            raise MirrorIncomplete(
                f"The mirror of {each.object} needs {_name(missing)} in the collection "
                f"{each.collection}: add a migration and run `make vocabulary`."
            )


def _name(columns: list[str]) -> str:
    return f"the column{'s' * (len(columns) > 1)} {', '.join(columns)}"
