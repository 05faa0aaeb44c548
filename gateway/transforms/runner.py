"""Runs transforms: from the items of a call to one result per item."""

import asyncio
import inspect
import logging
import time
from base64 import b64decode
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from gateway.errors import Unavailable
from gateway.metrics import count_transform
from gateway.rows import Json
from gateway.transforms.failure import fail
from gateway.transforms.refusals import FieldErrors, Refused
from gateway.transforms.transform import File, RequestInfo, Transform, TransformContext, Write
from gateway.transforms.validation import (
    build,
    describe,
    find_changes,
    forbids_columns,
    read_incoming,
)

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Item:
    """One write and its state."""

    item: Json
    transform: Transform
    started: float = field(default_factory=time.perf_counter)
    values: Json = field(default_factory=dict)
    incoming: Any = None
    context: TransformContext | None = None
    #: None until it is known.
    result: Json | None = None


@dataclass(frozen=True, slots=True)
class TransformRunner:
    """Runs the transforms of an app."""

    #: By collection and operation.
    transforms: dict[tuple[str, str], Transform]
    #: Members of every context: the clients, the settings and the app's state.
    shared: Mapping[str, Any] = field(default_factory=dict)

    async def run_all(
        self, items: list[Json], user: Json | None, client: Json | None = None
    ) -> list[Json]:
        """Return one result per item, in order; async functions run concurrently.

        pb_hooks/lib/transforms/result.js reads the results: ``{"values": {…}}`` to set;
        ``{"errors": {field: {code, message}}, "message": …}``; ``{"refused": {status, message}}``;
        ``{"failed": "error" | "timeout" | "unavailable" | "unknown"}``.

        Args:
            items: collection, operation, record, original, sent fields and files per write.
            user: the signed-in record, None for a guest.
            client: address and headers of the client.
        """
        if any(_key(item) not in self.transforms for item in items):
            # PocketBase has the table of another gateway behind the same address, and calls that
            # one for all items: so none is run here.
            return [{"failed": "unknown"}] * len(items)
        began = asyncio.get_running_loop().time()
        read = [self._read(item, user, client) for item in items]
        await _prefetch(read, began)
        if len(read) == 1:
            return [await _finish(read[0], began)]
        return list(await asyncio.gather(*(_finish(each, began) for each in read)))

    async def run(self, item: Json, user: Json | None) -> Json:
        """Return the result for one item."""
        return (await self.run_all([item], user))[0]

    def _read(self, item: Json, user: Json | None, client: Json | None) -> _Item:
        found = _Item(item, self.transforms[_key(item)])
        try:
            found.context = self._read_context(found.transform, item, user, client)
            found.values = read_incoming(item["record"], found.context)
            found.incoming = build(found.transform, found.values, found.context)
        except ValidationError as error:
            is_authors = forbids_columns(error)
            found.result = fail(error, item) if is_authors else _field_errors(*describe(error))
        except Exception as error:
            found.result = fail(error, item)
        return found

    def _read_context(
        self, transform: Transform, item: Json, user: Json | None, client: Json | None
    ) -> TransformContext:
        return TransformContext(
            operation=item["operation"],
            collection=item["collection"],
            original=item["original"],
            user=user,
            sent=frozenset(item["sent"]),
            files={name: tuple(map(_read_file, files)) for name, files in item["files"].items()},
            request=_read_request(item, client) if transform.request else None,
            **self.shared,
        )


async def _prefetch(items: list[_Item], began: float) -> None:
    """Call each transform's `prefetch` once for all of its items; an error fails all of them."""
    waiting: dict[int, list[_Item]] = {}
    for each in items:
        if each.result is None and each.transform.prefetch:
            waiting.setdefault(id(each.transform), []).append(each)
    if waiting:
        await asyncio.gather(*(_prefetch_for(each, began) for each in waiting.values()))


async def _prefetch_for(items: list[_Item], began: float) -> None:
    transform = items[0].transform
    if transform.prefetch is None:
        return
    contexts = [each.context for each in items if each.context]
    writes = [Write(each.incoming, context) for each, context in zip(items, contexts, strict=True)]
    try:
        found = await _in_time(transform.prefetch(writes), transform, began)
    except BaseException as error:
        for each in items:
            each.result = _result_of(error, each.item)
        return
    for each, context in zip(items, contexts, strict=True):
        each.context = replace(context, prefetched=found)


async def _finish(found: _Item, began: float) -> Json:
    if found.result is None:
        found.result = await _call(found, began)
    _log_outcome(found.item, found.result, found.started)
    return found.result


async def _call(found: _Item, began: float) -> Json:
    """Call the function; unexpected exceptions are mistakes in its code."""
    transform, context = found.transform, found.context
    if context is None:
        return {"failed": "unknown"}
    try:
        returned = transform.function(found.incoming, context)
        if inspect.isawaitable(returned):
            returned = await _in_time(returned, transform, began)
        return {"values": to_jsonable_python(find_changes(found.values, returned, context))}
    except FieldErrors as error:
        return _field_errors(error.errors)
    except Refused as refused:
        return {"refused": {"status": refused.status, "message": refused.message}}
    except BaseException as error:
        return _result_of(error, found.item)


class _TimedOut(Exception):
    """The transform exceeded its timeout."""


async def _in_time(returned: Awaitable[_T], transform: Transform, began: float) -> _T:
    try:
        async with asyncio.timeout_at(began + transform.timeout) as limit:
            return await returned
    except TimeoutError:
        # Otherwise the function's own, of a service that it called.
        if limit.expired():
            raise _TimedOut from None
        raise


def _result_of(error: BaseException, item: Json) -> Json:
    """Return the result of an error in a team's code; re-raise what ends the process."""
    if isinstance(error, _TimedOut):
        return {"failed": "timeout"}
    if isinstance(error, Unavailable):
        return {"failed": "unavailable"}
    is_ours = isinstance(error, asyncio.CancelledError) and _is_cancelled()
    # A library's `sys.exit` (SystemExit) would end the gateway.
    if is_ours or not isinstance(error, Exception | asyncio.CancelledError | SystemExit):
        raise error
    return fail(error, item)


def _key(item: Json) -> tuple[str, str]:
    return item["collection"], item["operation"]


def _is_cancelled() -> bool:
    """Return whether the call itself is being cancelled, not only the function."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _read_request(item: Json, client: Json | None) -> RequestInfo:
    known = client or {}
    return RequestInfo(
        values=item.get("values", {}),
        address=known.get("address", ""),
        headers=known.get("headers", {}),
    )


def _read_file(file: Json) -> File:
    content = b64decode(file["content"]) if "content" in file else None
    return File(file["name"], file["originalName"], file["size"], content)


def _field_errors(fields: dict[str, tuple[str, str]], message: str = "") -> Json:
    errors = {name: {"code": code, "message": text} for name, (code, text) in fields.items()}
    return {"errors": errors, "message": message}


def _log_outcome(item: Json, result: Json, started: float) -> None:
    kind = next(iter(result))
    outcome = result["failed"] if kind == "failed" else kind
    seconds = time.perf_counter() - started
    count_transform(item["collection"], item["operation"], outcome, seconds)
    level = logging.WARNING if kind == "failed" else logging.DEBUG
    if _log.isEnabledFor(level):
        keys = {
            "collection": item["collection"],
            "operation": item["operation"],
            "outcome": outcome,
            "ms": round(seconds * 1000, 1),
        }
        _log.log(level, "transform", extra=keys)
