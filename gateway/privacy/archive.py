"""The zip of an export: JSON documents and files, readable by its owner only."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self
from zipfile import ZIP_DEFLATED, ZipFile

from gateway.json_codec import dump, dump_text
from gateway.privacy.errors import CannotWrite
from gateway.rows import Json


class Archive:
    """A zip that appears under its name when it is complete, or a stream.

    A context manager: an exception removes the file. A stream keeps the documents written so far.
    """

    def __init__(self, path: Path, stream: BinaryIO | None = None) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.part")
        #: Written instead of the file; it need not be seekable.
        self._stream = stream
        self.files = 0

    def __enter__(self) -> Self:
        """Create the file.

        Raises:
            CannotWrite: the folder is missing or read-only.
        """
        self._file = self._stream or self._create()
        self._zip = ZipFile(self._file, "w", ZIP_DEFLATED)
        return self

    def _create(self) -> BinaryIO:
        try:
            descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise CannotWrite(
                f"{self._path} can't be written ({error.strerror}): choose another --output."
            ) from error
        return os.fdopen(descriptor, "w+b")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Complete the file, or remove it."""
        self._zip.close()
        if self._stream is not None:
            self._stream.flush()
            return
        self._file.close()
        if error is None:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)

    def write_json(self, name: str, value: Any) -> None:
        """Add one document."""
        self._zip.writestr(name, dump_text(value, is_indented=True))

    async def write_records(self, name: str, records: AsyncIterator[Json]) -> int:
        """Add a JSON list, record by record; return the number. Nothing is added without any."""
        count = 0
        first = await anext(records, None)
        if first is None:
            return 0
        with self._zip.open(name, "w") as target:
            target.write(b"[\n" + dump(first))
            count += 1
            async for record in records:
                target.write(b",\n" + dump(record))
                count += 1
            target.write(b"\n]\n")
        return count

    async def write_file(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Add a file while it arrives."""
        with self._zip.open(name, "w", force_zip64=True) as target:
            async for chunk in chunks:
                target.write(chunk)
        self.files += 1
