"""The route that makes checkpoints of PocketBase's database."""

from gateway.pocketbase.contracts.route import Contract, HookRoute


class CheckpointRequest(Contract):
    """A checkpoint of the write-ahead log beside PocketBase's writer."""

    #: Whether commits leave further checkpoints to further calls; False restores SQLite's limit.
    deferred: bool


class CheckpointAnswer(Contract):
    """The log, and the length in pages from which a commit makes a checkpoint itself."""

    #: The limit until now.
    before: int
    #: The limit from now on.
    limit: int
    #: The length of the log in pages.
    pages: int


CHECKPOINT = HookRoute("POST", "/api/gateway/checkpoint", CheckpointRequest, CheckpointAnswer)
