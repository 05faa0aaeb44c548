"""Writes records into a file: CSV, JSON Lines or Parquet."""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from gateway.bulk.columns import Column
from gateway.json_codec import dump, dump_text
from gateway.rows import Json

Format = Literal["csv", "jsonl", "parquet"]

#: First characters of a cell that spreadsheets take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: Marks a cell as text, in every spreadsheet.
TEXT_MARK = "'"


class RowWriter(Protocol):
    """A file that is being written."""

    def write(self, rows: Iterable[Json]) -> None:
        """Append records."""

    def close(self) -> None:
        """Complete the file."""


class CsvWriter:
    """UTF-8, a header, commas; lists and JSON values as JSON.

    A text that a spreadsheet would run as a formula gets an apostrophe, which an import removes.
    """

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file = path.open("w", encoding="utf-8", errors="replace", newline="")
        self._names = [column.name for column in columns]
        self._csv = csv.writer(self._file)
        self._csv.writerow(map(_guard, self._names))

    def write(self, rows: Iterable[Json]) -> None:
        """See `RowWriter`."""
        self._csv.writerows([_format(row.get(name)) for name in self._names] for row in rows)

    def close(self) -> None:
        """See `RowWriter`."""
        self._file.close()


class JsonLinesWriter:
    """One JSON object per line."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file = path.open("wb")
        self._names = [column.name for column in columns]

    def write(self, rows: Iterable[Json]) -> None:
        """See `RowWriter`."""
        for row in rows:
            self._file.write(dump({name: row.get(name) for name in self._names}) + b"\n")

    def close(self) -> None:
        """See `RowWriter`."""
        self._file.close()


def open_writer(format: Format, path: Path, columns: Sequence[Column]) -> RowWriter:
    """Create the file.

    Raises:
        GiveUp: Parquet needs the extra ``parquet``.
    """
    if format == "parquet":
        # Imported here, because pyarrow is optional and loads slowly.
        from gateway.bulk.parquet_writer import ParquetWriter

        return ParquetWriter(path, columns)
    makers: dict[str, Callable[[Path, Sequence[Column]], RowWriter]] = {
        "csv": CsvWriter,
        "jsonl": JsonLinesWriter,
    }
    return makers[format](path, columns)


def _format(value: Any) -> str:
    if isinstance(value, str):
        return _guard(value)
    if value is None:
        return ""
    return dump_text(value)


def _guard(text: str) -> str:
    return TEXT_MARK + text if text.startswith(_FORMULA) else text
