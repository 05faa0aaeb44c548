"""Collections: their fields and rules. For superusers only."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.pocketbase.api.caller import Caller, check_list, check_object
from gateway.pocketbase.api.paths import Query, build_path

Collection = dict[str, Any]
Found = list[Collection]
_PAGE_COLLECTIONS = 200


class Collections:
    """Reads and changes collections, as the dashboard does.

    In production, change them by migrations. Every method raises a `PocketBaseError`, `Forbidden`
    or `Unauthenticated` for other callers than superusers.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def list(self, *, filter: str = "", sort: str = "name") -> Found:
        """Return all collections that match, also PocketBase's own (``_superusers`` …)."""
        found: Found = []
        while True:
            query: Query = {
                "page": len(found) // _PAGE_COLLECTIONS + 1,
                "perPage": _PAGE_COLLECTIONS,
                "filter": filter or None,
                "sort": sort,
            }
            answer = await self._caller.get_object(_path(), query=query)
            items = check_list(answer.get("items"))
            found += items
            if len(items) < _PAGE_COLLECTIONS:
                return found

    async def get(self, name: str) -> Collection:
        """Return one collection, by name or id.

        Raises:
            NotFound: it does not exist.
        """
        return await self._caller.get_object(_path(name))

    async def create(self, collection: Mapping[str, Any]) -> Collection:
        """Create a collection: ``{"name": …, "type": "base", "fields": […], "listRule": …}``.

        Raises:
            ValidationFailed: ``data`` has the errors by member.
        """
        return check_object(await self._caller.call("POST", _path(), dict(collection)))

    async def update(self, name: str, changes: Mapping[str, Any]) -> Collection:
        """Change members of a collection.

        Args:
            changes: ``fields`` replaces all fields: one that is left out is deleted with its data.
        """
        return check_object(await self._caller.call("PATCH", _path(name), dict(changes)))

    async def delete(self, name: str) -> None:
        """Delete a collection and its records.

        Raises:
            ValidationFailed: relations of others refer to it.
        """
        await self._caller.call("DELETE", _path(name))

    async def truncate(self, name: str) -> None:
        """Delete all records of a collection, and what depends on them."""
        await self._caller.call("DELETE", _path(name, "truncate"))

    async def import_all(
        self, collections: Sequence[Mapping[str, Any]], *, delete_missing: bool = False
    ) -> None:
        """Create and change several collections in one transaction.

        Args:
            delete_missing: also delete collections and fields that are not among them, with their
                data.
        """
        body = {
            "collections": [dict(each) for each in collections],
            "deleteMissing": delete_missing,
        }
        await self._caller.call("PUT", _path("import"), body)

    async def scaffolds(self) -> dict[str, Collection]:
        """Return an empty collection of each type: ``base``, ``auth`` and ``view``."""
        return await self._caller.get_object(_path("meta", "scaffolds"))


def _path(*segments: str) -> str:
    return build_path("collections", *segments)
