"""One write through its transform: what the hook in PocketBase is told to do with it."""

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
    """One write on its way to its verdict."""

    item: Json
    transform: Transform
    started: float = field(default_factory=time.perf_counter)
    values: Json = field(default_factory=dict)
    incoming: Any = None
    context: TransformContext | None = None
    #: Set as soon as it is known.
    verdict: Json | None = None


@dataclass(frozen=True, slots=True)
class TransformRunner:
    """The transforms with what they share."""

    transforms: dict[tuple[str, str], Transform]
    #: What every context has: the clients, the settings and the app's state.
    shared: Mapping[str, Any] = field(default_factory=dict)

    async def run_all(
        self, items: list[Json], user: Json | None, client: Json | None = None
    ) -> list[Json]:
        """Return a verdict per item, in order; async functions run concurrently.

        The results that pb_hooks/lib/transforms/result.js knows: ``{"values": {…}}`` to set;
        ``{"errors": {field: {code, message}}, "message": …}`` or ``{"refused": {status, message}}``
        by the transform; ``{"failed": reason}`` by accident.
        """
        if any(_key(item) not in self.transforms for item in items):
            # PocketBase has the table of another gateway behind the same address, and asks that
            # one about all of them: so none is run here.
            return [{"failed": "unknown"}] * len(items)
        began = asyncio.get_running_loop().time()
        read = [self._read(item, user, client) for item in items]
        await _prefetch(read, began)
        if len(read) == 1:
            return [await _finish(read[0], began)]
        return list(await asyncio.gather(*(_finish(each, began) for each in read)))

    async def judge(self, item: Json, user: Json | None) -> Json:
        """Return the verdict for one item."""
        return (await self.run_all([item], user))[0]

    def _read(self, item: Json, user: Json | None, client: Json | None) -> _Item:
        found = _Item(item, self.transforms[_key(item)])
        try:
            found.context = self._read_context(found.transform, item, user, client)
            found.values = read_incoming(item["record"], found.context)
            found.incoming = build(found.transform, found.values, found.context)
        except ValidationError as error:
            is_authors = forbids_columns(error)
            found.verdict = fail(error, item) if is_authors else _field_errors(*describe(error))
        except Exception as error:
            found.verdict = fail(error, item)
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
    """Call each transform's `prefetch` once for all of its items; a failure is that of each."""
    waiting: dict[int, list[_Item]] = {}
    for each in items:
        if each.verdict is None and each.transform.prefetch:
            waiting.setdefault(id(each.transform), []).append(each)
    if waiting:
        await asyncio.gather(*(_prefetch_for(group, began) for group in waiting.values()))


async def _prefetch_for(group: list[_Item], began: float) -> None:
    transform = group[0].transform
    if transform.prefetch is None:
        return
    contexts = [each.context for each in group if each.context]
    writes = [Write(each.incoming, context) for each, context in zip(group, contexts, strict=True)]
    try:
        found = await _in_time(transform.prefetch(writes), transform, began)
    except BaseException as error:
        for each in group:
            each.verdict = _result_of(error, each.item)
        return
    for each, context in zip(group, contexts, strict=True):
        each.context = replace(context, prefetched=found)


async def _finish(found: _Item, began: float) -> Json:
    if found.verdict is None:
        found.verdict = await _call(found, began)
    _log_outcome(found.item, found.verdict, found.started)
    return found.verdict


async def _call(found: _Item, began: float) -> Json:
    """Call the function; treat unexpected exceptions as mistakes of its author."""
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


class _TimeIsOver(Exception):
    """The transform took longer than it may."""


async def _in_time(returned: Awaitable[_T], transform: Transform, began: float) -> _T:
    try:
        async with asyncio.timeout_at(began + transform.timeout) as limit:
            return await returned
    except TimeoutError:
        # Else it is the function's own, of a service that it asked.
        if limit.expired():
            raise _TimeIsOver from None
        raise


def _result_of(error: BaseException, item: Json) -> Json:
    """Turn an error of the author's code into a verdict; re-raise the end of the process."""
    if isinstance(error, _TimeIsOver):
        return {"failed": "timeout"}
    if isinstance(error, Unavailable):
        return {"failed": "unavailable"}
    is_ours = isinstance(error, asyncio.CancelledError) and _is_cancelled()
    # SystemExit, as of a library's `sys.exit`, would end the gateway.
    if is_ours or not isinstance(error, Exception | asyncio.CancelledError | SystemExit):
        raise error
    return fail(error, item)


def _key(item: Json) -> tuple[str, str]:
    return item["collection"], item["operation"]


def _is_cancelled() -> bool:
    """Whether the call itself is being cancelled, not only the function."""
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


def _log_outcome(item: Json, verdict: Json, started: float) -> None:
    outcome = next(iter(verdict))
    level = logging.WARNING if outcome == "failed" else logging.DEBUG
    if _log.isEnabledFor(level):
        keys = {
            "collection": item["collection"],
            "operation": item["operation"],
            "outcome": verdict["failed"] if outcome == "failed" else outcome,
            "ms": round((time.perf_counter() - started) * 1000, 1),
        }
        _log.log(level, "transform", extra=keys)
