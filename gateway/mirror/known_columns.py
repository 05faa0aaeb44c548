"""Reports columns that a team's mirror returns and its collection does not have.

PocketBase ignores such a value. The row is stored without it, because the event must not be lost.
"""

import logging
from collections.abc import Iterable

from gateway.source import Source

_log = logging.getLogger(__name__)
#: By collection, as read at the start; of this process, like the registry.
_columns: dict[str, frozenset[str]] = {}
_reported: set[tuple[str, str]] = set()


def remember_columns(collection: str, columns: Iterable[str]) -> None:
    """Store the columns of a mirror's collection."""
    _columns[collection] = frozenset(columns)


def report_unknown(collection: str, names: Iterable[str], source: Source | None) -> None:
    """Log each column once that the collection did not have at the start."""
    known = _columns.get(collection)
    if known is None:
        return
    for name in names:
        if name not in known and (collection, name) not in _reported:
            _reported.add((collection, name))
            _log.warning(
                "unknown column",
                extra={"collection": collection, "column": name, "source": str(source)},
            )
