"""POST /hooks/records: PocketBase's hooks call the transforms of one or several writes.

An ASGI app in front of FastAPI's, because every write to a collection with a transform waits for it
(docs/decisions/011-transforms.md).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from gateway.errors import (
    BodyTooLarge,
    Forbidden,
    InvalidRequest,
    MethodNotAllowed,
    UnsupportedMediaType,
)
from gateway.http.body_admission import Admission, Admitted
from gateway.http.body_limit import read_body
from gateway.http.problems import respond_to
from gateway.json_codec import load
from gateway.rows import Json
from gateway.services import Services
from gateway.transforms.hook_signature import (
    ANSWER_PREFIX,
    HEADERS,
    TIMESTAMP,
    SeenIds,
    check_headers,
    sign,
    verify,
)
from gateway.transforms.relayed_client import read_address
from gateway.transforms.response import write_results

PATH = "/hooks/records"
_Header = tuple[bytes, bytes]
#: Concurrent calls.
_MAX_CALLS = 1000
_UNCHANGED: Json = {"values": {}}


@dataclass(frozen=True, slots=True)
class RecordsEndpoint:
    """ASGI app for PocketBase's calls."""

    #: A call may be signed with any of them.
    keys: tuple[bytes, ...]
    max_body_bytes: int
    admission: Admission
    seen: SeenIds = field(default_factory=SeenIds)

    @classmethod
    def of(cls, keys: tuple[bytes, ...], max_body_bytes: int) -> Self:
        """Return an endpoint that limits the bytes of all concurrent calls."""
        return cls(keys, max_body_bytes, Admission.of(_MAX_CALLS, max_body_bytes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; every error is a problem document."""
        try:
            body, headers = await self._answer(scope, receive)
        except Exception as error:
            await respond_to(error, PATH)(scope, receive, send)
            return
        # The same messages as starlette's `Response`, in a fifth of its time.
        status = 200 if body else 204
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[bytes, list[_Header]]:
        """Run the transforms of one call; return the signed answer's body and headers.

        Raises:
            NotSigned: the call is not signed with one of the keys, or its id was used before.
            Forbidden, MethodNotAllowed, UnsupportedMediaType: a browser sent it.
            BodyTooLarge, InvalidRequest: the body can't be read.
            Overloaded: too many concurrent calls, or too many bytes.
        """
        headers: dict[bytes, bytes] = dict(scope["headers"])
        _refuse_browsers(scope, headers)
        now = time.time()
        given = _read_signed(headers)
        check_headers(given, now)  # Before the body is read into memory.
        with self.admission.admit() as admitted:
            body = await _read_body(receive, headers, self.max_body_bytes, admitted)
            call_id, key = verify(given, body, self.keys, now)
            self.seen.add(call_id, now)
            call = _parse(body)
            client = _read_client(call.get("client"), now, self.keys)
            answer = await _run(scope["app"].state.services, call, client)
        # With the caller's key: during a rotation it may know no other. With the call's time: the
        # answer is then valid for this call only, however much the clocks differ.
        signed = sign(ANSWER_PREFIX + call_id, int(given[TIMESTAMP]), answer, key)
        head = [(name.encode(), value.encode()) for name, value in signed.items()]
        if answer:
            head.append((b"content-type", b"application/json"))
            head.append((b"content-length", b"%d" % len(answer)))
        return answer, head


async def _run(services: Services, call: Json, client: Json) -> bytes:
    items = call["items"]
    return _write(await services.transforms.run_all(items, call["user"], client), items)


def _read_client(client: Any, now: float, keys: tuple[bytes, ...]) -> Json:
    """Return the client of the writes, for `request=True`; of a relayed write the original one."""
    if not isinstance(client, dict):
        return {}
    relayed = read_address(str(client.get("relayed", "")), now, keys)
    return {**client, "address": relayed or client.get("address", "")}


def _write(results: list[Json], items: list[Json]) -> bytes:
    """Return the results as JSON; an empty body (204) if no transform changes a value."""
    if all(result == _UNCHANGED for result in results):
        return b""
    return write_results(results, items)


def _refuse_browsers(scope: Scope, headers: Mapping[bytes, bytes]) -> None:
    if scope["method"] != "POST":
        raise MethodNotAllowed
    if b"origin" in headers or b"sec-fetch-site" in headers:
        raise Forbidden("Only PocketBase may call this address.")
    if headers.get(b"content-type") != b"application/json":
        raise UnsupportedMediaType


def _read_signed(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """Return the headers that `verify` reads."""
    return {name: str(headers.get(name.encode(), b""), "latin-1") for name in HEADERS}


async def _read_body(
    receive: Receive, headers: Mapping[bytes, bytes], limit: int, admitted: Admitted
) -> bytes:
    content_length = headers.get(b"content-length", b"0")
    if content_length.isdigit() and int(content_length[:20]) > limit:
        raise BodyTooLarge(f"The body is larger than {limit} bytes.")
    try:
        return await read_body(receive, limit, admitted)
    except ClientDisconnect as error:
        raise InvalidRequest("The body ended early.") from error


def _parse(body: bytes) -> Json:
    """Check the structure of a call; the transforms check the values of its records.

    Raises:
        InvalidRequest: the call is not one of these hooks' (another version).
    """
    try:
        call = load(body, is_exact=True)
    except ValueError as error:
        raise InvalidRequest("The body is not JSON, or is nested too deeply.") from error
    if not (
        isinstance(call, dict)
        and isinstance(call.get("user"), dict | None)
        and isinstance(call.get("items"), list)
        and all(map(_is_item, call["items"]))
    ):
        raise InvalidRequest("The call does not match the format of this release's hooks.")
    call.setdefault("user", None)
    return call


def _is_item(item: Any) -> bool:
    """Return whether an item has each required member with its type."""
    return isinstance(item, dict) and all(
        name in item and isinstance(item[name], kind) for name, kind in _ITEM.items()
    )


_ITEM: dict[str, Any] = {
    "collection": str,
    "operation": str,
    "record": dict,
    "original": dict | None,
    "sent": list,
    "files": dict,
}
