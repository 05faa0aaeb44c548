"""Routes of /ready: the version of the hooks, and whether PocketBase can write."""

from gateway.pocketbase.contracts.route import Contract, Empty, HookRoute


class NameSettings(Contract):
    """The settings of collections' names in PocketBase's environment."""

    prefix: str
    internal_prefix: str
    auth: str


class VersionAnswer(Contract):
    """The hooks, migrations and names of PocketBase; readable by gateways of any version."""

    #: 0 if files are missing.
    hooks: int
    #: The names of the migrations that were applied.
    migrations: tuple[str, ...] = ()
    #: Files that are missing or of another version.
    files: tuple[str, ...] = ()
    #: Collections and columns that were removed or renamed.
    missing: tuple[str, ...] = ()
    #: How the settings of names differ from the names in the database.
    misnamed: tuple[str, ...] = ()
    #: None if the hooks are incomplete.
    names: NameSettings | None = None
    #: Stored events whose row waits for a read from Stripe.
    unresolved: int = 0
    #: Stored events that could not be applied.
    failed: int = 0
    #: Items of background work that need a decision.
    parked: int = 0


VERSION = HookRoute("GET", "/api/gateway/version", Empty, VersionAnswer)
WRITE_PROBE = HookRoute("POST", "/api/gateway/write-probe", Empty, Empty)
