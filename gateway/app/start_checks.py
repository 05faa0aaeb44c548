"""Checks that PocketBase's collections fit what an app declares, before anything uses them.

A PocketBase that does not answer yet is not waited for: /ready then reports transforms that do not
fit, and deliveries whose rows can't be stored are kept as failed.
"""

from collections.abc import Iterable
from urllib.parse import quote

from gateway.effects.collection_check import find_faults as find_effect_faults
from gateway.effects.effect import Effect
from gateway.errors import GatewayError
from gateway.mirror.known_columns import remember_columns
from gateway.mirror.mirrored_object import MirroredObject
from gateway.mirror.registry import entry_of
from gateway.mirror.team_column import TeamColumn
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.pocketbase.contracts.collections import CollectionColumns
from gateway.rows import Json
from gateway.start_error import InvalidRegistration
from gateway.transforms.collection_check import find_faults
from gateway.transforms.table import Table
from gateway.vocabulary import INTERNAL_COLLECTIONS


async def require_transforms(pocketbase: PocketBase, table: Table | None) -> None:
    """Refuse to start with a transform that would guard nothing, or fail each write.

    Raises:
        InvalidRegistration: names the transform's file and line, and what does not fit.
    """
    if table is None or not table.transforms:
        return
    names = {transform.collection for transform in table.transforms}
    try:
        found = await _describe_collections(pocketbase, names)
    except (GatewayError, PocketBaseRefused):
        return
    if faults := find_faults(table, found):
        raise InvalidRegistration(faults[0])


async def require_effects(pocketbase: PocketBase, effects: Iterable[Effect]) -> None:
    """Refuse to start with an effect that would never run.

    Raises:
        InvalidRegistration: names the effect's file and line, and what does not fit.
    """
    internal = {pocketbase.collection_names.of(key) for key in INTERNAL_COLLECTIONS}
    try:
        found = await _describe_collections(pocketbase, {each.collection for each in effects})
    except (GatewayError, PocketBaseRefused):
        return
    if faults := find_effect_faults(effects, found, internal):
        raise InvalidRegistration(faults[0])


async def require_mirrors(pocketbase: PocketBase, mirrors: Iterable[MirroredObject]) -> None:
    """Refuse to start with a mirror whose rows could not be stored, or would lose their order.

    Raises:
        InvalidRegistration: names the mirror's file and line, and what its collection lacks.
    """
    for mirror in mirrors:
        try:
            found = await _read_collection(pocketbase, mirror.collection)
        except (GatewayError, PocketBaseRefused):
            return
        if found is None:
            raise InvalidRegistration(
                f"{mirror.source}: there is no collection {mirror.collection} for the mirror of"
                f" {mirror.object}: add a migration that creates it"
            )
        columns = {field["name"] for field in found["fields"]}
        _require_columns(mirror, columns)
        remember_columns(mirror.collection, columns)


async def require_columns(pocketbase: PocketBase, columns: Iterable[TeamColumn]) -> None:
    """Refuse to start with a function for a column that does not exist.

    Raises:
        InvalidRegistration: names the function's file and line, and the column.
    """
    for column in columns:
        name = pocketbase.collection_names.of(entry_of(column.object).collection)
        try:
            found = await _read_collection(pocketbase, name)
        except (GatewayError, PocketBaseRefused):
            return
        if found and column.name not in {field["name"] for field in found["fields"]}:
            raise InvalidRegistration(
                f"{column.source}: the collection {name} has no column {column.name}: add a"
                " migration that creates it"
            )


def _require_columns(mirror: MirroredObject, columns: set[str]) -> None:
    missing = [name for name in mirror.required_columns if name not in columns]
    if missing:
        raise InvalidRegistration(
            f"{mirror.source}: the collection {mirror.collection} of the mirror of {mirror.object}"
            f" lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}: add a migration"
        )


async def _describe_collections(
    pocketbase: PocketBase, names: Iterable[str]
) -> dict[str, CollectionColumns]:
    """Return the collections that exist, by name."""
    found: dict[str, CollectionColumns] = {}
    for name in sorted(names):
        if collection := await _read_collection(pocketbase, name):
            columns = {field["name"]: field["hidden"] for field in collection["fields"]}
            found[name] = CollectionColumns(type=collection["type"], columns=columns)
    return found


async def _read_collection(pocketbase: PocketBase, name: str) -> Json | None:
    """Return a collection's definition; None if there is none."""
    try:
        return await pocketbase.call("GET", f"/api/collections/{quote(name, safe='')}")
    except PocketBaseRefused as refused:
        if refused.status == 404:
            return None
        raise
