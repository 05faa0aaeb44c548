"""The lists of Stripe's API that together show every mirrored object."""

from dataclasses import dataclass, field

from gateway.mirror.mirrored_object import MirroredObject
from gateway.mirror.projections.stripe_object import STRIPE_OBJECTS
from gateway.mirror.registry import BY_COLLECTION, list_entries
from gateway.rows import Row


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One list, and the rows that it must contain."""

    collection: str
    #: The ``object`` of its entries.
    object: str
    #: With ``{customer}`` if there is one list per customer.
    path: str
    params: dict[str, str] = field(default_factory=dict)
    #: Which rows of the collection the list shows, as a PocketBase filter; all when empty.
    rows: str = ""
    #: Whether the list takes a range of ``created``.
    by_time: bool = True
    #: Whether a refusal means only that the account or key lacks the list.
    may_be_refused: bool = False
    #: The field of a customer that shows the list if it is expanded; else one request per customer.
    customer_field: str = ""
    stage: int = 0

    @property
    def name(self) -> str:
        """Tells the lists of one collection apart."""
        shared = [] if self.collection in BY_COLLECTION else [self.object]
        return " ".join([self.collection, *shared, *self.params.values()])

    @property
    def is_of_customer(self) -> bool:
        """Whether each customer has a list of its own."""
        return "{customer}" in self.path


def list_kinds() -> tuple[ListedObject, ...]:
    """Return all lists in the registry's order: owners before their objects."""
    return tuple(
        ListedObject(
            each.collection,
            each.object,
            each.path_of_list,
            query.params,
            query.rows,
            each.lists_by_time,
            each.may_be_refused,
            each.customer_field,
            _stage_of(each),
        )
        for each in list_entries()
        for query in each.lists
    )


def _stage_of(entry: MirroredObject) -> int:
    """Return the stage in which an object is compared.

    Lists of one stage are read at the same time. Owners come before their objects, so that most
    rows are linked when they are written; lists that take a request per customer come last.
    """
    if "{customer}" in entry.list_path and not entry.customer_field:
        return 3
    if entry.owner is None:
        return 2 if entry.collection == STRIPE_OBJECTS else 0
    return 1 if entry.owner.names_customer else 2


def list_collections() -> tuple[str, ...]:
    """Return the collections that mirror objects."""
    return tuple(dict.fromkeys(kind.collection for kind in list_kinds()))


def is_unannounced(row: Row) -> bool:
    """Whether Stripe sends no event for an object in this state, so that no row is amiss."""
    entry = BY_COLLECTION.get(row.collection)
    return entry is not None and entry.is_unannounced(row.values)
