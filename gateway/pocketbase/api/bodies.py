"""Bodies of requests: JSON values as PocketBase stores them, and files to upload."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, SecretStr
from pydantic_core import to_jsonable_python

from gateway import json_codec
from gateway.dates import day_to_column, to_column
from gateway.exact_numbers import write_column
from gateway.pocketbase.values import check_number, check_text

#: A record to write: by field, also with modifiers ("score+", "+tags", "documents-").
Body = Mapping[str, Any] | BaseModel

#: Members of a model that PocketBase sets itself.
_READ_ONLY = {"collectionId", "collectionName", "expand"}
#: The name of the part that holds what is not a file.
_JSON_PART = "@jsonPayload"
#: httpx2 takes files as name, content and type.
FilePart = tuple[str, tuple[str, bytes | BinaryIO, str | None]]


@dataclass(frozen=True, slots=True)
class FileUpload:
    """A file to upload.

    `FileUpload(b"…", "notes.txt")`, `FileUpload(Path("notes.txt"))`, or an open binary file:
    `FileUpload(upload.file, upload.filename)`, which is sent from its start.
    """

    content: bytes | Path | BinaryIO
    #: PocketBase stores it with a random suffix. By default the name of the path.
    name: str = ""
    #: By default guessed from the name.
    content_type: str | None = None

    @property
    def file_name(self) -> str:
        """The name that is sent."""
        if self.name:
            return self.name
        own = self.content if isinstance(self.content, Path) else getattr(self.content, "name", "")
        return Path(str(own)).name or "file"


@dataclass(frozen=True, slots=True)
class Payload:
    """A record to write: JSON values, and files by field."""

    values: Mapping[str, Any]
    files: tuple[tuple[str, FileUpload], ...] = ()


def write_body(body: Body, *, partial: bool = False) -> Payload:
    """Return a record as it is sent.

    Args:
        partial: of a model, send only fields that were set.

    Raises:
        InvalidValue: a number is not finite, or a text has a lone surrogate.
        ValueError: a datetime has no time zone.
        TypeError: a value has no JSON form.
    """
    fields = _dump_model(body, partial) if isinstance(body, BaseModel) else body
    values: dict[str, Any] = {}
    files: list[tuple[str, FileUpload]] = []
    for name, value in fields.items():
        given = value if isinstance(value, (list, tuple)) else [value]
        uploads = [each for each in given if isinstance(each, FileUpload)]
        files += ((name, upload) for upload in uploads)
        kept = [each for each in given if not isinstance(each, FileUpload)]
        if not uploads:
            values[name] = write_column(write_value(value))
        elif kept:  # Names of stored files, to which PocketBase adds the uploaded ones.
            values[name] = write_value(kept)
    return Payload(values, tuple(files))


def _dump_model(model: BaseModel, partial: bool) -> dict[str, Any]:
    found = {
        info.serialization_alias or info.alias or name: getattr(model, name)
        for name, info in type(model).model_fields.items()
        if not partial or name in model.model_fields_set
    }
    if not found.get("id"):
        found.pop("id", None)
    return {name: value for name, value in found.items() if name not in _READ_ONLY}


def write_value(value: Any) -> Any:
    """Return a JSON value; dates have the form in which PocketBase stores them.

    Raises:
        InvalidValue: a number is not finite, or a text has a lone surrogate.
        ValueError: a datetime has no time zone.
        TypeError: the value has no JSON form.
    """
    match value:
        case Enum():
            return write_value(value.value)
        case str():
            return check_text(value)
        case None | bool() | int():
            return value
        case float():
            return check_number(value)
        case datetime():
            return to_column(value)
        case date():
            return day_to_column(value)
        case SecretStr():
            return value.get_secret_value()
        case BaseModel():
            return write_value(value.model_dump(by_alias=True))
        case Mapping():
            return {check_text(str(name)): write_value(each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [write_value(each) for each in value]
    return _write_other(value)


def _write_other(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview, FileUpload)):
        raise TypeError(f"a JSON value can't be {type(value).__name__}: upload it as a FileUpload")
    try:
        return to_jsonable_python(value)  # Decimal, UUID, URLs, timedelta.
    except ValueError as error:
        raise TypeError(f"a value of the type {type(value).__name__} has no JSON form") from error


def dump(value: Any) -> bytes:
    """Return JSON text."""
    return json_codec.dump(value)


@contextmanager
def open_parts(values: Any, files: Sequence[tuple[str, FileUpload]]) -> Iterator[list[FilePart]]:
    """Give the parts of a multipart body; files that are given as paths are open meanwhile.

    Raises:
        OSError: a path can't be read.
    """
    with ExitStack() as stack:
        parts: list[FilePart] = []
        for field, file in files:
            content = file.content
            opened = (
                stack.enter_context(content.open("rb")) if isinstance(content, Path) else content
            )
            parts.append((field, (file.file_name, opened, file.content_type)))
        # A part with a name and no file name is a form field.
        parts.append((_JSON_PART, (None, dump(values), None)))  # type: ignore[arg-type]
        yield parts
