"""The registry entry of a mirrored object type."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from gateway.rows import OBJECT_COLUMN, Changes, Json
from gateway.source import Source

#: From Stripe's object, and whether it was deleted, to the row and the claims that follow.
Projection = Callable[[Json, bool], Changes]


@dataclass(frozen=True, slots=True)
class ListQuery:
    """One request of a Stripe list, and the rows that it must show."""

    params: dict[str, str] = field(default_factory=dict)
    #: As a PocketBase filter; all rows of the collection when empty.
    rows: str = ""


@dataclass(frozen=True, slots=True)
class Parent:
    """A row from which another row takes its owner."""

    #: The relation of the child row.
    column: str
    collection: str


@dataclass(frozen=True, slots=True)
class Ownership:
    """How a row finds its user or organization. Applied by pb_hooks/lib/mirror/owners.js."""

    #: Position among the collections when a customer's rows move to another owner.
    move_order: int
    #: Whether Stripe's object names its customer; otherwise the row copies its parent's.
    names_customer: bool = True
    #: Parents that may have the owner of a row without a customer, in this order.
    parents: tuple[Parent, ...] = ()


def _is_always_announced(values: Json) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class MirroredObject:
    """The registry entry of one Stripe object."""

    #: Stripe's ``object``, as ``data.object`` of an event names it.
    object: str
    #: The PocketBase collection that has one row per object.
    collection: str
    project: Projection
    #: Under ``/v1/``: where Stripe serves the list, and each object below it; "" if it serves none.
    path: str
    #: Fields that Stripe shows only when asked.
    expand: tuple[str, ...] = ()
    #: The same where only `gateway reconcile` asks, because no event needs it.
    list_expand: tuple[str, ...] = ()
    #: The path of the list where it differs; with ``{customer}`` if each customer has its own.
    list_path: str = ""
    #: The field of a customer that shows its list when expanded, so that one request shows many.
    customer_field: str = ""
    #: The path of one object where it differs, with ``{id}``.
    object_path: str = ""
    #: The requests that together list every object, for `gateway reconcile`.
    lists: tuple[ListQuery, ...] = (ListQuery(),)
    #: Whether the lists take a range of ``created``.
    lists_by_time: bool = True
    #: Whether an account or key may lack the lists, so that a refusal is not a failure.
    may_be_refused: bool = False
    #: Nested lists to complete: field → path with ``{id}``. Events show the first ten entries.
    nested_lists: dict[str, str] = field(default_factory=dict)
    #: None if rows of this type have no owner.
    owner: Ownership | None = None
    #: Further columns that the hooks fill.
    columns: tuple[str, ...] = ()
    #: The columns that entitlements depend on: when one changes, they are recomputed.
    #: `tests/entitlements/test_columns.py` compares them with the columns that the hooks read.
    entitlement_columns: tuple[str, ...] = ()
    #: Whether Stripe sends no event for an object in this state, so that a missing row is right.
    is_unannounced: Callable[[Json], bool] = _is_always_announced
    #: The file and line of the declaration in a team's app; None for ours.
    source: Source | None = None

    def path_of(self, stripe_id: str, *, as_listed: bool = False) -> str:
        """Return the path of one object, "" if Stripe has none.

        Args:
            as_listed: ask for all that the list is asked for.
        """
        if not self.path and not self.object_path:
            return ""
        quoted = quote(stripe_id, safe="")
        if self.object_path:
            return f"/v1/{self.object_path.format(id=quoted)}"
        expand = self.shown_when_asked if as_listed else self.expand
        return f"/v1/{self.path}/{quoted}{_expand_query(expand)}"

    @property
    def shown_when_asked(self) -> tuple[str, ...]:
        """Fields that an object may lack."""
        return (*self.expand, *self.list_expand)

    @property
    def path_of_list(self) -> str:
        """The path of the list, with ``{customer}`` if each customer has its own."""
        expand = tuple(f"data.{name}" for name in self.shown_when_asked)
        return f"/v1/{self.list_path or self.path}{_expand_query(expand)}"

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The columns without which rows lose their identity, order or owner."""
        owner = ("customer", "user", "organization") if self.owner else ()
        # Reconciliation compares a page of a list with the rows of the same period.
        period = () if "{customer}" in self.list_path else ("created",)
        own = (*self.columns, *self.entitlement_columns)
        required = ("stripe_id", "version", OBJECT_COLUMN, *period, *owner, *own)
        return tuple(dict.fromkeys(required))


def _expand_query(names: tuple[str, ...]) -> str:
    return "?" + "&".join(f"expand[]={name}" for name in names) if names else ""
