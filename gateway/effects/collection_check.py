"""Compares PocketBase's collections with the effects. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from gateway.effects.effect import Effect
from gateway.pocketbase.contracts.collections import CollectionColumns


def find_faults(
    effects: Iterable[Effect],
    collections: Mapping[str, CollectionColumns],
    internal: Collection[str],
) -> list[str]:
    """Return the faults that keep effects from working, one sentence each.

    Args:
        effects: the effects.
        collections: the existing collections, by the name that an effect uses.
        internal: names of the gateway's internal collections.
    """
    return [
        f"{effect.source}: {fault}"
        for effect in effects
        for fault in _find_faults(effect, collections.get(effect.collection), internal)
    ]


def _find_faults(
    effect: Effect, collection: CollectionColumns | None, internal: Collection[str]
) -> Iterator[str]:
    name = effect.collection
    if name in internal:
        yield f"The collection {name} is internal to the gateway and can have no effect."
    elif collection is None:
        yield f"There is no collection {name} for an effect: correct its name, or create it."
    elif collection.type == "view":
        yield f"The collection {name} of an effect is a view, whose records never change."
    else:
        for field in sorted(effect.fields - collection.columns.keys()):
            yield f"The effect names the field {field}, but {name} has no such column."
