"""POST /hooks/records: PocketBase's hook asks what to do with writes.

An ASGI app of its own before FastAPI's, because every write to a collection that has a transform
waits for it (docs/decisions/011-transforms.md).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json
from starlette.types import Receive, Scope, Send

from gateway.errors import (
    BodyTooLarge,
    Forbidden,
    InvalidRequest,
    MethodNotAllowed,
    UnsupportedMediaType,
)
from gateway.problems import respond_to
from gateway.records.judge import Judge, write_verdicts
from gateway.records.signature import ANSWER_PREFIX, HEADERS, TIMESTAMP, SeenIds, sign, verify
from gateway.writes import Json

PATH = "/hooks/records"
_Header = tuple[bytes, bytes]
_UNCHANGED: Json = {"values": {}}


@dataclass(frozen=True, slots=True)
class RecordsEndpoint:
    """Takes PocketBase's calls: an ASGI app of its own."""

    #: Calls may be signed by any.
    keys: tuple[bytes, ...]
    max_body_bytes: int
    seen: SeenIds = field(default_factory=SeenIds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; every error is a problem document."""
        try:
            body, headers = await self._answer(scope, receive)
        except Exception as error:
            await respond_to(error, PATH)(scope, receive, send)
            return
        # As starlette's `Response` does it, in a fifth of its time.
        status = 200 if body else 204
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[bytes, list[_Header]]:
        """Judge the writes of one call.

        Raises:
            NotSigned: it does not come from our PocketBase, or not for the first time.
            Forbidden, MethodNotAllowed, UnsupportedMediaType: it comes from a browser.
            BodyTooLarge, InvalidRequest: it can't be read.
        """
        headers: dict[bytes, bytes] = dict(scope["headers"])
        _refuse_browsers(scope, headers)
        body = await _read_body(receive, headers, self.max_body_bytes)
        now = time.time()
        given = _read_signed(headers)
        call_id, key = verify(given, body, self.keys, now)
        self.seen.add(call_id, now)
        judge: Judge = scope["app"].state.judge
        call = _parse(body)
        verdicts = await judge.judge_all(call["items"], call["user"])
        answer = _write(verdicts, call["items"])
        # By the caller's key: while a secret is rotated it may know no other. At the call's time:
        # then the answer is good for this very call, whatever the clocks say.
        signed = sign(ANSWER_PREFIX + call_id, int(given[TIMESTAMP]), answer, key)
        head = [(name.encode(), value.encode()) for name, value in signed.items()]
        if answer:
            head.append((b"content-type", b"application/json"))
            head.append((b"content-length", b"%d" % len(answer)))
        return answer, head


def _write(verdicts: list[Json], items: list[Json]) -> bytes:
    """The verdicts as JSON; nothing when nothing changes, which PocketBase reads in no time."""
    if all(verdict == _UNCHANGED for verdict in verdicts):
        return b""
    return write_verdicts(verdicts, items)


def _refuse_browsers(scope: Scope, headers: Mapping[bytes, bytes]) -> None:
    if scope["method"] != "POST":
        raise MethodNotAllowed
    if b"origin" in headers or b"sec-fetch-site" in headers:
        raise Forbidden("This address is PocketBase's only.")
    if headers.get(b"content-type") != b"application/json":
        raise UnsupportedMediaType


def _read_signed(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """The headers that `verify` reads."""
    return {name: str(headers.get(name.encode(), b""), "latin-1") for name in HEADERS}


async def _read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > limit:
        raise BodyTooLarge(f"A call may have {limit} bytes.")
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequest("The body ended early.")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise BodyTooLarge(f"A call may have {limit} bytes.")
    return body


def _parse(body: bytes) -> Any:
    try:
        return from_json(body)
    except ValueError as error:
        raise InvalidRequest("The values are nested too deeply, or no JSON.") from error
