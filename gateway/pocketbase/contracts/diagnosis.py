"""The route of `gateway doctor`: facts that only PocketBase sees."""

from pydantic import Field

from gateway.pocketbase.contracts.route import Contract, Empty, HookRoute


class CollectionAccess(Contract):
    """What callers may see of one collection."""

    #: By name, such as ``listRule``; None for superusers only, "" for everyone.
    rules: dict[str, str | None]
    #: Columns that only superusers see.
    hidden: tuple[str, ...]
    #: Columns with files that need a token.
    protected: tuple[str, ...]
    #: The query of a view, "" of other collections.
    query: str


class CollectionComparison(Contract):
    """The access that a collection gives now, and what migrations set."""

    name: str
    found: CollectionAccess
    #: None if no migration made the collection.
    expected: CollectionAccess | None
    #: The rule of the release's migration, if ``expected`` was changed before rules were stored.
    released: CollectionAccess | None = None


class Disk(Contract):
    """The file system of PocketBase's data, in bytes."""

    total: int
    free: int


class ClientAddress(Contract):
    """How PocketBase sees the caller."""

    #: The IP address that rate limits count.
    address: str
    #: The IP address of the connection: the caller's, or the nearest proxy's.
    peer: str
    #: The headers that PocketBase trusts.
    headers: tuple[str, ...]


class Diagnosis(Contract):
    """Facts about PocketBase's collections, files and clock."""

    collections: tuple[CollectionComparison, ...]
    #: None if PocketBase's machine has no `df`.
    disk: Disk | None
    #: Sizes of the database's files, by name.
    bytes: dict[str, int]
    client: ClientAddress
    #: An HMAC for each of PocketBase's hook secrets.
    hook_secrets: tuple[str, ...]
    #: Unix time in milliseconds.
    time: int
    #: The SHA-256 of each of the gateway's hook files, by its path below pb_hooks.
    files: dict[str, str] = Field(default_factory=dict)
    #: The version of PocketBase's binary, "" if it is not known.
    pocketbase: str = ""


#: The text that PocketBase signs with its hook secrets.
PROBE = "gateway doctor"

DIAGNOSIS = HookRoute("GET", "/api/gateway/diagnosis", Empty, Diagnosis)
