"""Several writes in one transaction: all or none."""

from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar, cast, overload
from urllib.parse import urlencode

from pydantic import BaseModel

from gateway.pocketbase.api.bodies import Body, FileUpload, Payload, write_body
from gateway.pocketbase.api.caller import Caller, check_list, check_object
from gateway.pocketbase.api.errors import InvalidAnswer, ValidationFailed, read_batch_error
from gateway.pocketbase.api.models import Record, read_record
from gateway.pocketbase.api.paths import Names, build_path, join_names, write_query

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

_Method = Literal["create", "update", "upsert", "delete"]
_METHODS: dict[str, _Method] = {"POST": "create", "PATCH": "update", "PUT": "upsert"}


class BatchResult(Generic[T]):
    """The response to one request of a batch."""

    def __init__(self, model: type[T] | None, collection: str) -> None:
        self._model = model
        self._collection = collection
        self._answer: Any = None
        self._is_sent = False

    @property
    def record(self) -> T:
        """The record as it was written.

        Raises:
            RuntimeError: the batch has not been sent, or was refused.
        """
        if not self._is_sent:
            raise RuntimeError("the batch was not sent: its records are there after `async with`")
        return read_record(self._model, self._answer, self._collection)

    def set_answer(self, answer: Any) -> None:
        """Take the body of the response."""
        self._answer, self._is_sent = answer, True


@dataclass(frozen=True, slots=True)
class BatchWrite:
    """One write of a batch as a value."""

    method: _Method
    collection: str
    #: The record's id, "" if PocketBase chooses one.
    id: str
    values: dict[str, Any]


@dataclass(slots=True)
class _Entry:
    write: BatchWrite
    request: dict[str, Any]
    files: tuple[tuple[str, FileUpload], ...]
    result: "BatchResult[Any] | None"


@dataclass(slots=True)
class Batch:
    """Collects writes and sends them in one request, which PocketBase runs in one transaction.

    As a context manager it sends them at the end, unless the block raised. PocketBase's settings
    must allow batches; by default it takes up to 50 requests, 3 seconds and 128 MB.
    """

    _caller: Caller
    _timeout: float | None = None
    _entries: list[_Entry] = field(default_factory=list)
    _is_sent: bool = False

    @overload
    def collection(self, name: str) -> "BatchCollection[Record]": ...
    @overload
    def collection(self, name: str, model: type[M]) -> "BatchCollection[M]": ...
    def collection(self, name: str, model: type[Any] | None = None) -> "BatchCollection[Any]":
        """Return the writes to a collection.

        Args:
            model: a Pydantic model for its records, by default dicts.
        """
        return BatchCollection(self, name, model)

    def __len__(self) -> int:
        """The number of requests."""
        return len(self._entries)

    def add(self, entry: _Entry) -> None:
        """Add a request."""
        if self._is_sent:
            raise RuntimeError("the batch has been sent: begin another one")
        self._entries.append(entry)

    def take(self) -> list[BatchWrite]:
        """Return the writes as values instead of sending them.

        Raises:
            RuntimeError: the batch has been sent, or contains files.
        """
        if self._is_sent:
            raise RuntimeError("the batch has been sent")
        if any(entry.files for entry in self._entries):
            raise RuntimeError("it contains files")
        self._is_sent = True
        return [entry.write for entry in self._entries]

    async def send(self) -> None:
        """Send the requests; without any, do nothing.

        Raises:
            BatchFailed: nothing was written; ``index`` and ``reason`` describe the request that
                failed. ``index`` is None if there are more requests than PocketBase allows.
            Forbidden: PocketBase's settings don't allow batches.
            Unavailable: whether it was written is not known.
        """
        if self._is_sent:
            raise RuntimeError("the batch has been sent")
        self._is_sent = True
        if not self._entries:
            return
        answers = check_list(await self._post())
        if len(answers) != len(self._entries):
            raise InvalidAnswer("PocketBase did not answer every request of the batch.")
        for entry, answer in zip(self._entries, answers, strict=True):
            if entry.result:
                entry.result.set_answer(check_object(answer).get("body"))

    async def _post(self) -> Any:
        files = tuple(
            (f"requests.{index}.{name}", file)
            for index, entry in enumerate(self._entries)
            for name, file in entry.files
        )
        values = {"requests": [entry.request for entry in self._entries]}
        payload = Payload(values, files)
        try:
            return await self._caller.call(
                "POST", build_path("batch"), payload=payload, timeout=self._timeout
            )
        except ValidationFailed as error:
            raise read_batch_error(error) from error

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send the requests, unless the block raised or has sent them."""
        if kind is None and not self._is_sent:
            await self.send()


class BatchCollection(Generic[T]):
    """Writes to one collection, to be sent with a batch."""

    def __init__(self, batch: Batch, name: str, model: type[T] | None) -> None:
        self._batch = batch
        self._name = name
        self._model = model

    def create(
        self, body: Body, *, expand: Names | None = None, fields: Names | None = None
    ) -> BatchResult[T]:
        """Create a record; see `Records.create`."""
        return self._write("POST", (), body, expand, fields)

    def update(
        self, id: str, body: Body, *, expand: Names | None = None, fields: Names | None = None
    ) -> BatchResult[T]:
        """Change fields of a record; see `Records.update`."""
        return self._write("PATCH", (id,), body, expand, fields, partial=True)

    def upsert(
        self, body: Body, *, expand: Names | None = None, fields: Names | None = None
    ) -> BatchResult[T]:
        """Create the record, or update the one with its id."""
        return self._write("PUT", (), body, expand, fields)

    def delete(self, id: str) -> None:
        """Delete a record."""
        request = {"method": "DELETE", "url": self._url(id)}
        write = BatchWrite("delete", self._name, id, {})
        self._batch.add(_Entry(write, request, (), None))

    def _write(
        self,
        method: str,
        segments: tuple[str, ...],
        body: Body,
        expand: Names | None,
        fields: Names | None,
        *,
        partial: bool = False,
    ) -> BatchResult[T]:
        payload = write_body(body, partial=partial)
        query = write_query({"expand": join_names(expand), "fields": join_names(fields)})
        url = self._url(*segments) + (f"?{urlencode(query)}" if query else "")
        result = BatchResult(self._model, self._name)
        request = {"method": method, "url": url, "body": payload.values}
        id = segments[0] if segments else str(payload.values.get("id") or "")
        write = BatchWrite(_METHODS[method], self._name, id, dict(payload.values))
        self._batch.add(_Entry(write, request, payload.files, cast("BatchResult[Any]", result)))
        return result

    def _url(self, *segments: str) -> str:
        return build_path("collections", self._name, "records", *segments)
