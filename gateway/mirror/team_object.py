"""The registry entry of an object that a team's app mirrors (`Gateway.mirror`)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from gateway.dates import to_column, unix_to_column
from gateway.mirror.known_columns import report_unknown
from gateway.mirror.mirrored_object import ListQuery, MirroredObject, Projection
from gateway.rows import Changes, Json, Row
from gateway.source import Source
from gateway.stripe_api.fields import stripe_id

#: From Stripe's object, and whether it was deleted, to the row's columns (JSON, datetimes).
TeamProjection = Callable[[Json, bool], Mapping[str, Any]]


def describe_team_object(
    object: str,
    collection: str,
    path: str,
    function: TeamProjection,
    expand: tuple[str, ...] = (),
    list_params: Mapping[str, str] | None = None,
    source: Source | None = None,
) -> MirroredObject:
    """Return the entry.

    Raises:
        ValueError: a name or the path has another form.
    """
    if not object or not collection or collection.startswith("_"):
        raise ValueError("a mirror needs the object's name at Stripe, and a collection")
    if not path.startswith("/v1/") or "{" in path or "?" in path:
        raise ValueError(f"path must be where Stripe lists the objects, /v1/…s, not {path!r}")
    return MirroredObject(
        object,
        collection,
        _project_with(function, collection, source),
        path.removeprefix("/v1/").rstrip("/"),
        expand=expand,
        lists=(ListQuery(dict(list_params or {})),),
        source=source,
    )


def _project_with(function: TeamProjection, collection: str, source: Source | None) -> Projection:
    def project(body: Json, deleted: bool) -> Changes:
        own = {name: as_column(value) for name, value in function(body, deleted).items()}
        report_unknown(collection, own, source)
        values = {"created": unix_to_column(body.get("created")), **own}
        return Changes(Row(collection, stripe_id(body), values, final=deleted))

    return project


def as_column(value: object) -> object:
    """Return a value of a team's function as PocketBase takes it: datetimes as date columns."""
    return to_column(value) if isinstance(value, datetime) else value
