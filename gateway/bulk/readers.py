"""Reads the rows of a CSV or JSON Lines file, with the error of each row that can't be read."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TextIO

from gateway.bulk.columns import Column
from gateway.bulk.writers import TEXT_MARK
from gateway.json_codec import load
from gateway.rows import Json
from gateway.work import GiveUp

InputFormat = Literal["csv", "jsonl"]

_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no", "")
#: Characters of a line of JSON Lines.
_MAX_LINE_CHARACTERS = 1_000_000
#: Beginnings of exported texts that a spreadsheet would run as formulas, with their mark.
_MARKED = tuple(TEXT_MARK + first for first in "=+-@\t\r")

FieldErrors = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class InputRow:
    """One row of a file."""

    #: Its first line in the file, from 1.
    line: int
    values: Json = field(default_factory=dict)
    #: Errors by column, in PocketBase's format; "" for the row as a whole.
    errors: FieldErrors = field(default_factory=dict)


def read_rows(path: Path, format: InputFormat, columns: Sequence[Column]) -> Iterator[InputRow]:
    """Yield the rows of a file; only one is in memory.

    Dates that PocketBase sets by itself are left out.

    Args:
        columns: those of the collection that the caller may set.

    Raises:
        GiveUp: it is not UTF-8, or a column of its header does not exist.
    """
    known = {column.name: column for column in columns}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from (_read_csv if format == "csv" else _read_json_lines)(file, known)
    except UnicodeDecodeError:
        raise GiveUp("The file is not UTF-8 text.") from None


def _read_csv(file: TextIO, known: dict[str, Column]) -> Iterator[InputRow]:
    reader = csv.reader(file, strict=True)
    try:
        header = [_unmark(name.strip()) for name in next(reader, [])]
    except csv.Error as error:
        raise GiveUp(f"The header can't be read: {error}.") from None
    _check_header(header, known)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield InputRow(line, errors=_whole("validation_invalid_csv", f"{error}."))
            continue
        if cells:
            yield _read_cells(line, header, cells, known)


def _check_header(header: Sequence[str], known: dict[str, Column]) -> None:
    if not header:
        raise GiveUp("The file is empty: its first line must name the columns.")
    if unknown := [name for name in header if name not in known]:
        raise GiveUp(f"There is no column {', '.join(unknown)}. There are: {', '.join(known)}.")
    if len(set(header)) < len(header):
        raise GiveUp("The first line names a column twice.")


def _read_cells(
    line: int, header: Sequence[str], cells: Sequence[str], known: dict[str, Column]
) -> InputRow:
    if len(cells) != len(header):
        message = f"It has {len(cells)} values instead of {len(header)}."
        return InputRow(line, errors=_whole("validation_length", message))
    values: Json = {}
    errors: FieldErrors = {}
    for name, cell in zip(header, cells, strict=True):
        column = known[name]
        if column.type == "autodate":
            continue
        try:
            values[name] = _convert(cell, column)
        except ValueError:
            message = f"This is not a value of the type {column.type}."
            errors[name] = {"code": f"validation_invalid_{column.type}", "message": message}
    return InputRow(line, values, errors)


def _convert(cell: str, column: Column) -> Any:
    """Return the value of a cell.

    Raises:
        ValueError: it is not of the column's type.
    """
    if column.type == "number":
        return float(cell) if cell.strip() else 0
    if column.type == "bool":
        return _read_bool(cell.strip().lower())
    if column.is_list:
        return _read_list(cell)
    if column.type in ("json", "geoPoint"):
        return load(cell) if cell.strip() else None
    return _unmark(cell)


def _read_bool(text: str) -> bool:
    if text not in (*_TRUE, *_FALSE):
        raise ValueError
    return text in _TRUE


def _read_list(cell: str) -> list[Any]:
    """Return the values of a JSON list, or one value alone."""
    text = cell.strip()
    if not text.startswith("["):
        return [text] if text else []
    found = load(text)
    if not isinstance(found, list):
        raise ValueError
    return found


def _read_json_lines(file: TextIO, known: dict[str, Column]) -> Iterator[InputRow]:
    line = 0
    while text := file.readline(_MAX_LINE_CHARACTERS):
        line += 1
        if len(text) == _MAX_LINE_CHARACTERS:
            raise GiveUp(f"Line {line} is longer than {_MAX_LINE_CHARACTERS} characters.")
        if text.strip():
            yield _read_object(line, text, known)


def _read_object(line: int, text: str, known: dict[str, Column]) -> InputRow:
    try:
        found = load(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        message = "The line is not a JSON object."
        return InputRow(line, errors=_whole("validation_invalid_json", message))
    errors = {
        name: {"code": "validation_unknown_column", "message": "There is no such column."}
        for name in found
        if name not in known
    }
    values = {
        name: value
        for name, value in found.items()
        if name in known and known[name].type != "autodate"
    }
    return InputRow(line, values, errors)


def _unmark(text: str) -> str:
    return text[1:] if text.startswith(_MARKED) else text


def _whole(code: str, message: str) -> FieldErrors:
    return {"": {"code": code, "message": message}}
