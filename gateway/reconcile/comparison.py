"""Compares an object at Stripe with its row. Pure."""

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import Any

from gateway.json_codec import load
from gateway.mirror.event_change import project
from gateway.mirror.registry import SUMMARY, entry_of
from gateway.rows import OBJECT_COLUMN, Changes, Json, Row, Version

#: Columns that a response with only ``deleted: true`` determines.
_TOLD_BY_DELETION = ("deleted", "active", "valid", "object")

#: A member of objects without personal data.
_ERASED = "pocketbase_erased"


@dataclass(frozen=True, slots=True)
class Found:
    """An object as Stripe showed it, and when that was (see `gateway.stripe_api.Snapshot`)."""

    item: Json
    as_of: int
    until: int

    @property
    def stripe_id(self) -> str:
        """The object's id; of an entitlement summary, its customer's."""
        return str(self.item.get("id") or self.item["customer"])


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that differs from Stripe."""

    collection: str
    stripe_id: str
    #: added (no row yet), changed, deleted (Stripe says so), missing (Stripe does not know it).
    kind: str
    columns: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """The difference as JSON."""
        return {
            "collection": self.collection,
            "stripe_id": self.stripe_id,
            "difference": self.kind,
            "columns": list(self.columns),
        }


def project_found(item: Json) -> Changes:
    """Return the row and the claims of an object that was read from Stripe."""
    changes = project(item)
    if item.get("deleted") is not True:
        return changes
    values = changes.row.values
    told = {name: values[name] for name in _TOLD_BY_DELETION if name in values}
    return replace(changes, row=replace(changes.row, values=told, object=None))


def compare(row: Row, stored: Json | None) -> Difference | None:
    """Return the difference between the stored row and the expected one, None if there is none."""
    if stored is None:
        return Difference(row.collection, row.stripe_id, "added")
    if is_erased(stored):
        # Emptied columns stay empty; the object is not compared.
        told = {name: value for name, value in row.values.items() if _is_kept(stored.get(name))}
        row = replace(row, values=told, object=None)
    columns = tuple(name for name, value in row.values.items() if stored.get(name) != value)
    if not shows_object(row, stored):
        columns = (*columns, OBJECT_COLUMN)
    if not columns:
        return None
    kind = "deleted" if "deleted" in columns and row.values["deleted"] else "changed"
    return Difference(row.collection, row.stripe_id, kind, columns)


def is_erased(stored: Json) -> bool:
    """Whether the row was emptied with its user; see pb_hooks/lib/privacy/redact.js."""
    kept = stored.get(OBJECT_COLUMN)
    return isinstance(kept, dict) and kept.get(_ERASED) is True


def _is_kept(value: Any) -> bool:
    """Whether redaction leaves a column as it is: numbers, dates, ids and states."""
    return isinstance(value, (bool, int, float)) or (isinstance(value, str) and value != "")


def shows_object(row: Row, stored: Json) -> bool:
    """Whether the stored object is the one that was read.

    A summary is put together from a list, so only its columns are compared. Fields that Stripe
    shows only when asked may be missing on either side; their columns are compared.
    """
    if row.object is None:
        return True
    kept = stored.get(OBJECT_COLUMN)
    if not isinstance(kept, dict):
        return False
    entry = entry_of(row.object["object"])
    if entry.object == SUMMARY:
        return True
    unasked = {name for name in entry.shown_when_asked if name not in row.object.keys() & kept}
    return _without(row.object, unasked) == _without(kept, unasked)


def _without(item: Json, names: Set[str]) -> Json:
    return {name: value for name, value in item.items() if name not in names}


def is_surely_older(stored: Json, found: Found) -> bool:
    """Whether the row shows an earlier state than the found one, by their times alone."""
    if not stored["version"]:
        return True
    version = Version(*load(stored["version"]))
    return not version.final and version.until < found.as_of


def is_final(stored: Json) -> bool:
    """Whether the row shows an object that can't change back."""
    return bool(stored["version"]) and Version(*load(stored["version"])).final == 1
