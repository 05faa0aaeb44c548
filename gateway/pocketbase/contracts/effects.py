"""The route that registers effects: work after changes of records."""

from typing import Literal

from gateway.pocketbase.contracts.collections import CollectionColumns
from gateway.pocketbase.contracts.route import Contract, HookRoute


class EffectEntry(Contract):
    """A handler of the changes of one collection, or of one domain event."""

    #: The name under which its work is stored.
    handler: str
    collection: str = ""
    operations: tuple[Literal["create", "update", "delete"], ...] = ()
    #: Updates count if they change one of these; empty for any field.
    fields: tuple[str, ...] = ()
    #: A domain event of the hooks instead of a collection: entitlement.gained, entitlement.lost.
    event: str = ""
    #: The order of events: by "object", by "customer", or "" for none.
    key: str = ""
    tries: int
    at_most_once: bool = False


class EffectsRequest(Contract):
    """The effects of a gateway."""

    #: Milliseconds since 1970: the effects of a later gateway replace those of an earlier one.
    started: int
    effects: tuple[EffectEntry, ...]


class EffectsAnswer(Contract):
    """Whether other effects are in force, and the collections that exist, by name."""

    overruled: bool
    collections: dict[str, CollectionColumns]


REGISTER_EFFECTS = HookRoute("POST", "/api/gateway/effects", EffectsRequest, EffectsAnswer)
