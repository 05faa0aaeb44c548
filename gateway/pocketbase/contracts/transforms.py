"""Routes of transforms: the table of them, and tickets for dry runs."""

from typing import Literal

from gateway.pocketbase.contracts.collections import CollectionColumns
from gateway.pocketbase.contracts.route import Contract, Empty, HookRoute


class TransformEntry(Contract):
    """A transform of one collection and operation."""

    collection: str
    operation: Literal["create", "update", "delete"]
    timeout: float
    on_failure: str
    files: bool
    request: bool


class RegisterRequest(Contract):
    """The table of a gateway; its text is signed."""

    url: str
    #: Milliseconds since 1970: a later gateway's table replaces an earlier one's.
    started: int
    superusers: bool
    max_bytes: int
    #: Names of headers, separated by commas.
    headers: str
    transforms: tuple[TransformEntry, ...]


class RegisterAnswer(Contract):
    """Whether another gateway's table is in force, and the collections that exist, by name."""

    overruled: bool
    collections: dict[str, CollectionColumns]


class DryRunTicket(Contract):
    """The value of ``X-Gateway-Dry-Run`` for one write within some seconds."""

    ticket: str


REGISTER = HookRoute("POST", "/api/gateway/transforms", RegisterRequest, RegisterAnswer)
DRY_RUN = HookRoute("POST", "/api/gateway/dry-run", Empty, DryRunTicket)
