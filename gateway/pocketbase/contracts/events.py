"""Routes about stored events and the work that follows from them."""

from gateway.pocketbase.contracts.route import Contract, Empty, HookRoute


class PruneRequest(Contract):
    """Which payloads to empty, or which rows to delete."""

    #: A date column: only older events.
    before: str
    limit: int
    #: Only count them.
    dry_run: bool
    #: Delete the rows instead of emptying their payloads.
    rows: bool = False


class PruneAnswer(Contract):
    """How many payloads were emptied; in a dry run, how many would be."""

    pruned: int


class DeferredWorkAnswer(Contract):
    """The result of one part."""

    #: Whether more may be due at once.
    left: bool
    #: Why the part failed, "" if it did not.
    error: str = ""


PRUNE = HookRoute("POST", "/api/gateway/prune", PruneRequest, PruneAnswer)
DEFERRED_WORK = HookRoute("POST", "/api/gateway/deferred-work", Empty, DeferredWorkAnswer)
