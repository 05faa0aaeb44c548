"""Writes that pass through a transform although the gateway's own superuser makes them.

PocketBase does them as any direct write: it calls the transform, guards the row against concurrent
changes, validates, and in a dry run rolls back.
"""

from typing import Any
from urllib.parse import quote

from gateway.errors import PocketBaseUnavailable
from gateway.exact_numbers import write_exactly
from gateway.json_codec import dump, load
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.route import Empty
from gateway.pocketbase.contracts.transforms import DRY_RUN
from gateway.pocketbase.hook_call import call_hook
from gateway.rows import Json

#: See pb_hooks/lib/transforms/enforce.js.
_RUN = {"X-Gateway-Transform": "run", "Content-Type": "application/json"}
_NO_GATEWAY = 503


class RowRefused(Exception):
    """PocketBase or a transform refused to write a record."""

    def __init__(self, status: int, message: str, data: Json) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        #: Errors by field, in PocketBase's format.
        self.data = data


async def write_transformed(
    pocketbase: PocketBase,
    collection: str,
    id: str = "",
    values: Json | None = None,
    *,
    dry_run: bool = False,
) -> Json:
    """Create a record (without an id), or update one; return it with its hidden fields.

    Args:
        values: of an update, those that change besides what the transform does.
        dry_run: validate and return, but don't write.

    Raises:
        RowRefused: the values or the transform are wrong; it has the reason.
        PocketBaseUnavailable: PocketBase or the transform's gateway did not answer.
    """
    headers = dict(_RUN)
    if dry_run:
        headers["X-Gateway-Dry-Run"] = (await call_hook(pocketbase, DRY_RUN, Empty())).ticket
    path = f"/api/collections/{quote(collection, safe='')}/records"
    method = "POST"
    if id:
        method, path = "PATCH", f"{path}/{quote(id, safe='')}"
    return await _send(pocketbase, method, path, headers, dump(write_exactly(values or {})))


async def _send(
    pocketbase: PocketBase, method: str, path: str, headers: dict[str, str], body: bytes
) -> Json:
    token = await pocketbase.session.get_token()
    answer = await pocketbase.forward(method, path, headers | {"Authorization": token}, body)
    if answer.status in (401, 403):
        token = await pocketbase.session.renew(token)
        answer = await pocketbase.forward(method, path, headers | {"Authorization": token}, body)
    try:
        found: Any = load(answer.body)
    except ValueError as unreadable:
        raise PocketBaseUnavailable from unreadable
    if answer.status < 400 and isinstance(found, dict):
        return found
    if answer.status >= _NO_GATEWAY or not isinstance(found, dict):
        raise PocketBaseUnavailable(str(found.get("message")) if isinstance(found, dict) else "")
    raise RowRefused(answer.status, str(found.get("message") or ""), found.get("data") or {})
