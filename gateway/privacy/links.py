"""Finds columns that link records with a person, in the definitions of collections. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.pocketbase import filter
from gateway.rows import Json
from gateway.vocabulary import COLLECTIONS, CollectionNames

#: Columns of the gateway's collections that contain a user's id as text.
_USER_TEXTS = {
    "billing_contacts": "user",
    "checkout_keys": "trial_payer",
    "membership_invitations": "user",
    "payer_changes": "payer",
    "pending_checkouts": "buyer",
    "work": "user",
}
#: PocketBase's own collections with data of a user: sign-ins by other services, known devices.
_SYSTEM = ("_externalAuths", "_authOrigins")


@dataclass(frozen=True, slots=True)
class Link:
    """A column that names a user, or contains an address."""

    collection: str
    column: str
    #: relation, email (also a declared text column), customer or text (a user's id).
    kind: str
    is_list: bool = False
    #: Of a relation: whether the record is deleted with the user, or must have one.
    cascades: bool = False
    required: bool = False

    def matches(self, user: str, customers: Iterable[str]) -> str:
        """Return a filter of the person's records, "" for none.

        Records with an address are found by `Search`.

        Args:
            customers: record ids in ``customers``.
        """
        if self.kind == "email":
            return ""
        values = customers if self.kind == "customer" else [user] if user else []
        term = f"{self.column} {'?=' if self.is_list else '='} {{:value}}"
        return " || ".join(filter(term, value=value) for value in values)


def find_links(
    collections: Sequence[Json], names: CollectionNames, email_columns: Iterable[str] = ()
) -> list[Link]:
    """Return the links of all collections, the gateway's and the team's.

    Args:
        collections: the definitions, from PocketBase's API.
        email_columns: declared text columns, as ``collection.column``.
    """
    ids = {each["name"]: each["id"] for each in collections}
    texts = {names.of(key): column for key, column in _USER_TEXTS.items()}
    declared = set(email_columns)
    return [
        link
        for each in collections
        if each["type"] != "view" and (not each["system"] or each["name"] in _SYSTEM)
        for field in each["fields"]
        if (link := _read(each["name"], field, ids, names, texts, declared))
    ] + [Link(name, "recordRef", "text") for name in _SYSTEM if name in ids]


def _read(
    collection: str,
    field: Json,
    ids: dict[str, str],
    names: CollectionNames,
    texts: dict[str, str],
    declared: set[str],
) -> Link | None:
    column, kind = field["name"], field["type"]
    if kind == "relation" and field["collectionId"] == ids.get(names.auth):
        return Link(
            collection,
            column,
            "relation",
            is_list=field["maxSelect"] > 1,
            cascades=field["cascadeDelete"],
            required=field["required"],
        )
    if kind == "relation" and field["collectionId"] == ids.get(names.of("customers")):
        return Link(collection, column, "customer")
    if texts.get(collection) == column:
        return Link(collection, column, "text")
    is_address = kind == "email" or f"{collection}.{column}" in declared
    return Link(collection, column, "email") if is_address and collection != names.auth else None


def find_team_collections(collections: Iterable[Json], names: CollectionNames) -> list[str]:
    """Return the base collections that are not the gateway's own."""
    return [
        each["name"]
        for each in collections
        if each["type"] == "base" and not each["system"] and not is_own(each["name"], names)
    ]


def is_own(collection: str, names: CollectionNames) -> bool:
    """Whether a collection is one of the gateway's."""
    return collection in {names.of(key) for key in COLLECTIONS}
