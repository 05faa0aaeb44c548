"""Writes records into a Parquet file, with pyarrow (extra ``parquet``)."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gateway.bulk.columns import Column
from gateway.dates import from_column
from gateway.json_codec import dump_text
from gateway.rows import Json
from gateway.work import GiveUp

try:
    import pyarrow
    from pyarrow import parquet
except ImportError:
    pyarrow = None

#: Types that have a counterpart; all others are text.
_TYPES = {"number": "float64", "bool": "bool_"}
_DATES = ("date", "autodate")


class ParquetWriter:
    """Numbers, booleans, timestamps in UTC, texts and lists of texts; JSON values as text."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        if pyarrow is None:
            raise GiveUp("There are no exports as Parquet here: choose another format.")
        self._columns = columns
        self._schema = pyarrow.schema([(each.name, _type_of(each)) for each in columns])
        self._writer = parquet.ParquetWriter(path, self._schema)

    def write(self, rows: Iterable[Json]) -> None:
        """See `gateway.bulk.writers.RowWriter`."""
        values = [
            {each.name: _convert(row.get(each.name), each) for each in self._columns}
            for row in rows
        ]
        self._writer.write_table(pyarrow.Table.from_pylist(values, self._schema))

    def close(self) -> None:
        """See `gateway.bulk.writers.RowWriter`."""
        self._writer.close()


def _type_of(column: Column) -> Any:
    if column.is_list:
        return pyarrow.list_(pyarrow.string())
    if column.type in _DATES:
        return pyarrow.timestamp("ms", tz="UTC")
    return getattr(pyarrow, _TYPES.get(column.type, "string"))()


def _convert(value: Any, column: Column) -> Any:
    if column.type in _DATES:
        return from_column(value) if value else None
    if column.is_list or column.type in _TYPES or value is None or isinstance(value, str):
        return value
    return dump_text(value)
