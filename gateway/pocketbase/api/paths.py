"""Paths and queries of PocketBase's API. Pure.

Ids and names come from outside: each is one segment of a path, and never another path.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from gateway.pocketbase.api.errors import NotFound
from gateway.pocketbase.values import check_text

#: Values of a query; None is left out.
Query = Mapping[str, str | int | bool | None]
#: A comma-separated list, or its parts.
Names = str | Sequence[str]


def build_path(*segments: str) -> str:
    """Return ``/api/`` and the segments, quoted.

    Raises:
        NotFound: a segment is empty, ``.`` or ``..``: the path would be another resource's.
    """
    return "/api/" + "/".join(_quote(each) for each in segments)


def _quote(segment: str) -> str:
    if segment in ("", ".", ".."):
        raise NotFound("The id or name is empty or not valid.")
    try:
        return quote(segment, safe="")
    except UnicodeEncodeError as error:
        raise NotFound("The id or name has characters that are not valid.") from error


def join_names(names: Names | None) -> str | None:
    """Return names as PocketBase takes them: ``author,comments_via_post``."""
    if names is None or isinstance(names, str):
        return names
    return ",".join(names)


def write_query(query: Query) -> dict[str, str]:
    """Return the values as texts, without those that are None.

    Raises:
        InvalidValue: a text has a lone surrogate.
    """
    found = {}
    for name, value in query.items():
        if value is None:
            continue
        found[name] = check_text(str(int(value)) if isinstance(value, bool) else str(value))
    return found
