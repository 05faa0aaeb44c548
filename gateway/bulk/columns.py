"""The columns of a collection, as exports and imports need them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from gateway.pocketbase.api import PocketBaseClient
from gateway.rows import Json
from gateway.work import GiveUp

#: Types that never leave PocketBase.
_SECRET = ("password",)
_SECRET_NAMES = ("tokenKey",)


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a collection."""

    name: str
    #: PocketBase's type: text, number, bool, date, select, json …
    type: str
    #: Whether the value is a list.
    is_list: bool = False

    @classmethod
    def of(cls, field: Json) -> Self:
        """Return the column of a field's definition."""
        is_list = field["type"] in ("select", "relation", "file") and field["maxSelect"] > 1
        return cls(field["name"], field["type"], is_list)


async def read_columns(
    superuser: PocketBaseClient, collection: str, *, with_hidden: bool
) -> list[Column]:
    """Return the columns of a collection, in its order.

    Args:
        with_hidden: whether hidden columns are included; secrets never are.

    Raises:
        NotFound: there is no such collection.
    """
    fields: list[dict[str, Any]] = (await superuser.collections.get(collection))["fields"]
    return [
        Column.of(field)
        for field in fields
        if (with_hidden or not field["hidden"])
        and field["type"] not in _SECRET
        and field["name"] not in _SECRET_NAMES
    ]


def choose(columns: Sequence[Column], names: Sequence[str]) -> list[Column]:
    """Return the columns of these names, in this order.

    Raises:
        GiveUp: there is no such column.
    """
    known = {column.name: column for column in columns}
    if unknown := [name for name in names if name not in known]:
        raise GiveUp(f"There is no column {', '.join(unknown)}. There are: {', '.join(known)}.")
    return [known[name] for name in names]
