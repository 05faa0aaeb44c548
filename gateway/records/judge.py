"""One write through its transform: what the hook in PocketBase is told to do with it."""

import asyncio
import inspect
import json
import logging
import math
import re
import time
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json, to_jsonable_python

from gateway.errors import Unavailable
from gateway.records.transform import Context, Dependencies, File, Transform
from gateway.records.validation import (
    build,
    describe,
    find_changes,
    forbids_columns,
    read_incoming,
)
from gateway.records.verdicts import FieldErrors, Refused
from gateway.writes import Json

_log = logging.getLogger(__name__)
#: What JSON has no number for, and numbers that are infinite to PocketBase.
_SUSPICIOUS = re.compile(rb"NaN|Infinity|\d{309}")


@dataclass(frozen=True, slots=True)
class Judge:
    """The transforms with what they share."""

    transforms: dict[tuple[str, str], Transform]
    dependencies: Dependencies

    async def judge_all(self, items: list[Json], user: Json | None) -> list[Json]:
        """Return a verdict for each item, in their order; what waits does so side by side."""
        if len(items) == 1:
            return [await self.judge(items[0], user)]
        return list(await asyncio.gather(*(self.judge(item, user) for item in items)))

    async def judge(self, item: Json, user: Json | None) -> Json:
        """Return one of the verdicts that pb_hooks/lib/transforms.js knows.

        ``{"values": {…}}`` to set; ``{"errors": {field: {code, message}}, "message": …}`` or
        ``{"refused": {status, message}}`` by the transform; ``{"failed": reason}`` by accident.
        """
        started = time.perf_counter()
        transform = self.transforms.get((item["collection"], item["operation"]))
        verdict = await self._run(transform, item, user) if transform else {"failed": "unknown"}
        _note(item, verdict, started)
        return verdict

    async def _run(self, transform: Transform, item: Json, user: Json | None) -> Json:
        try:
            context = self._read_context(item, user)
            values = read_incoming(item["record"], context)
            incoming = build(transform, values)
        except ValidationError as error:
            if forbids_columns(error):
                return _fail(error, item)
            return _field_errors(*describe(error))
        except Exception as error:
            return _fail(error, item)
        return await self._call(transform, incoming, values, context, item)

    async def _call(
        self, transform: Transform, incoming: Any, values: Json, context: Context, item: Json
    ) -> Json:
        """Call the function; whatever it raises that it is not meant to raise is its author's."""
        try:
            returned = await _call(transform, incoming, context)
            return {"values": to_jsonable_python(find_changes(values, returned, context))}
        except FieldErrors as error:
            return _field_errors(error.errors)
        except Refused as refused:
            return {"refused": {"status": refused.status, "message": refused.message}}
        except _TimeIsOver:
            return {"failed": "timeout"}
        except Unavailable:
            return {"failed": "unavailable"}
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            return _fail(error, item)
        # SystemExit, as of a library's `sys.exit`, would end the gateway.
        except (Exception, SystemExit) as error:
            return _fail(error, item)

    def _read_context(self, item: Json, user: Json | None) -> Context:
        return Context(
            operation=item["operation"],
            collection=item["collection"],
            original=item["original"],
            user=user,
            sent=frozenset(item["sent"]),
            files={name: tuple(map(_read_file, files)) for name, files in item["files"].items()},
            dependencies=self.dependencies,
        )


class _TimeIsOver(Exception):
    """The transform took longer than it may."""


async def _call(transform: Transform, incoming: Any, context: Context) -> Any:
    returned = transform.function(incoming, context)
    if not inspect.isawaitable(returned):
        return returned
    try:
        async with asyncio.timeout(transform.timeout) as limit:
            return await returned
    except TimeoutError:
        # Else it is the function's own, of a service that it asked.
        if limit.expired():
            raise _TimeIsOver from None
        raise


def _is_cancelled() -> bool:
    """Whether the call itself is to end; else the function raised the error by itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _read_file(file: Json) -> File:
    content = b64decode(file["content"]) if "content" in file else None
    return File(file["name"], file["originalName"], file["size"], content)


def _field_errors(fields: dict[str, tuple[str, str]], message: str = "") -> Json:
    errors = {name: {"code": code, "message": text} for name, (code, text) in fields.items()}
    return {"errors": errors, "message": message}


def _fail(error: BaseException, item: Json) -> Json:
    _log.error(
        "transform failed",
        exc_info=_without_values(error),
        extra={"collection": item["collection"], "operation": item["operation"]},
    )
    return {"failed": "error"}


def _without_values(error: BaseException) -> BaseException:
    """Pydantic's own text shows the values that it was given."""
    if not isinstance(error, ValidationError):
        return error
    places = sorted({".".join(map(str, item["loc"])) for item in error.errors()})
    shown = ValueError(f"{error.title}: {error.error_count()} errors: {', '.join(places)}")
    return shown.with_traceback(error.__traceback__)


def write_verdicts(verdicts: list[Json], items: list[Json]) -> bytes:
    """Return the verdicts as JSON; one that JSON can't have fails alone, as its author's error."""
    try:
        return _dump(verdicts)
    except ValueError:
        pairs = zip(verdicts, items, strict=True)
        return _dump([_keep_writable(verdict, item) for verdict, item in pairs])


def _keep_writable(verdict: Json, item: Json) -> Json:
    try:
        _dump([verdict])
    except ValueError as error:
        return _fail(error, item)
    return verdict


def _dump(verdicts: list[Json]) -> bytes:
    """Raise ValueError for what is no JSON, or is read as another value by PocketBase."""
    answer = to_json({"items": verdicts}, inf_nan_mode="constants")
    if _SUSPICIOUS.search(answer):
        # In text these are harmless; numbers are not finite, or not to PocketBase.
        json.loads(answer, parse_constant=_refuse_number, parse_int=_parse_int)
    return answer


def _parse_int(digits: str) -> float:
    if math.isinf(float(digits)):
        _refuse_number(digits)
    return 0.0


def _refuse_number(name: str) -> None:
    raise ValueError(f"{name[:20]} is not a number that PocketBase can store")


def _note(item: Json, verdict: Json, started: float) -> None:
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
