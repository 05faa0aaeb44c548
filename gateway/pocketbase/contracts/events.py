"""The route about stored events."""

from gateway.pocketbase.contracts.route import Contract, HookRoute


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


PRUNE = HookRoute("POST", "/api/gateway/prune", PruneRequest, PruneAnswer)
