"""Routes that a setting closes: they answer 404, and the served document leaves them out. Pure."""

from collections.abc import Collection, Iterator
from typing import Any

from gateway.http.closed_paths import is_closed
from gateway.settings import Settings

Json = dict[str, Any]

_SCHEMAS = "#/components/schemas/"


def list_closed(settings: Settings) -> tuple[str, ...]:
    """Return the paths of the API that are closed with everything below them."""
    return () if settings.gateway_admin_api else ("/admin",)


def leave_out(document: Json, closed: Collection[str]) -> Json:
    """Return an OpenAPI document without closed paths, and without schemas of theirs alone."""
    paths = {path: item for path, item in document["paths"].items() if not is_closed(path, closed)}
    found = {**document, "paths": paths}
    schemas = document["components"]["schemas"]
    used = _find_used(paths, schemas)
    found["components"] = {
        **document["components"],
        "schemas": {name: schema for name, schema in schemas.items() if name in used},
    }
    return found


def _find_used(paths: Json, schemas: Json) -> set[str]:
    """Return the names of the schemas that paths refer to, directly or by other schemas."""
    used: set[str] = set()
    found = set(_find_references(paths))
    while new := found - used:
        used |= new
        found = {each for name in new for each in _find_references(schemas.get(name))}
    return used


def _find_references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith(_SCHEMAS):
            yield reference.removeprefix(_SCHEMAS)
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _find_references(each)
