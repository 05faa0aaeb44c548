"""Files of records: addresses, downloads and tokens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlencode

from gateway.errors import BodyTooLarge
from gateway.pocketbase.api.caller import Caller, check_object
from gateway.pocketbase.api.errors import InvalidAnswer, PocketBaseError
from gateway.pocketbase.api.paths import Query, build_path

T = TypeVar("T")

#: Bytes that `read_file` keeps in memory at most.
MAX_READ_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Download:
    """A file while it arrives."""

    content_type: str
    #: In bytes; None if unknown.
    size: int | None
    #: The content in parts; to be read once.
    chunks: AsyncIterator[bytes]


class FileTooLarge(PocketBaseError):
    """The file is larger than the caller accepts."""

    status = 413
    kind = BodyTooLarge


class Files(Generic[T]):
    """Addresses and downloads of the files of one collection's records.

    Write a `FileUpload` to a field to upload it, and a name to ``"field-"`` to remove it.
    """

    _caller: Caller
    name: str

    def file_url(
        self,
        id: str,
        filename: str,
        *,
        thumb: str | None = None,
        token: str | None = None,
        download: bool = False,
    ) -> str:
        """Return the address of a file, for example for a page.

        Args:
            filename: as in the record.
            thumb: a size of the field's thumbs: ``"100x100"``, ``"0x300"``, ``"100x100f"``.
            token: of `PocketBaseClient.file_token`, for protected files; valid for minutes.
            download: let the browser save it instead of showing it.
        """
        query = _describe(thumb, token, download)
        text = urlencode({name: value for name, value in query.items() if value is not None})
        address = f"{self._caller.transport.url}{self._file_path(id, filename)}"
        return f"{address}?{text}" if text else address

    @asynccontextmanager
    async def open_file(
        self, id: str, filename: str, *, thumb: str | None = None, protected: bool = False
    ) -> AsyncIterator[Download]:
        """Give a file while it arrives: ``async for chunk in file.chunks``.

        The client's time-out is for each part of it, not for all.

        Args:
            protected: fetch a file token of the client's account first.

        Raises:
            NotFound: there is no such file, or the caller may not see it.
        """
        token = await fetch_file_token(self._caller) if protected else None
        query = _describe(thumb, token, download=False)
        path = self._file_path(id, filename)
        async with open_download(self._caller, path, query) as download:
            yield download

    async def read_file(
        self,
        id: str,
        filename: str,
        *,
        thumb: str | None = None,
        protected: bool = False,
        max_bytes: int = MAX_READ_BYTES,
    ) -> bytes:
        """Return a file's content; see `open_file`.

        Raises:
            FileTooLarge: it has more than ``max_bytes``.
        """
        content = bytearray()
        async with self.open_file(id, filename, thumb=thumb, protected=protected) as file:
            async for chunk in file.chunks:
                content += chunk
                if len(content) > max_bytes:
                    raise FileTooLarge(f"The file has more than {max_bytes} bytes.")
        return bytes(content)

    async def save_file(
        self,
        id: str,
        filename: str,
        path: Path,
        *,
        thumb: str | None = None,
        protected: bool = False,
    ) -> None:
        """Write a file's content to a path; a download that breaks leaves a part there.

        Raises:
            OSError: the path can't be written.
        """
        async with self.open_file(id, filename, thumb=thumb, protected=protected) as file:
            with await asyncio.to_thread(path.open, "wb") as target:
                async for chunk in file.chunks:
                    await asyncio.to_thread(target.write, chunk)

    def _file_path(self, id: str, filename: str) -> str:
        return build_path("files", self.name, id, filename)


async def fetch_file_token(caller: Caller) -> str:
    """Return a token for protected files, valid for some minutes."""
    token = check_object(await caller.call("POST", build_path("files", "token"))).get("token")
    if not isinstance(token, str):
        raise InvalidAnswer("PocketBase's answer has no file token.")
    return token


@asynccontextmanager
async def open_download(caller: Caller, path: str, query: Query) -> AsyncIterator[Download]:
    """Give the content of a path while it arrives."""
    async with caller.stream(path, query=query) as response:
        headers = response.headers
        length = headers.get("content-length", "")
        yield Download(
            headers.get("content-type", "application/octet-stream"),
            int(length) if length.isdecimal() else None,
            response.aiter_bytes(),
        )


def _describe(thumb: str | None, token: str | None, download: bool) -> Query:
    return {"thumb": thumb, "token": token, "download": "1" if download else None}
