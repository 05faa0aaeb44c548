"""Validates incoming values with a model; describes errors in PocketBase's format. Pure."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from gateway.rows import Json
from gateway.transforms.partial_model import validate_around
from gateway.transforms.transform import Transform, TransformContext

#: Members of a record that are not its fields.
_META_MEMBERS = ("collectionId", "collectionName", "expand")
#: Pydantic's own types of errors, without those of a team's validators.
_ERROR_TYPES = frozenset(get_args(ErrorType)) - {"value_error", "assertion_error"}
_BLANK: tuple[Any, ...] = (None, "", 0, False)


def read_incoming(record: Json, context: TransformContext) -> Json:
    """Return the values as they would be saved, with files by name.

    Of a create, empty fields that were not sent are left out, so that the model's defaults apply.
    """
    values = {name: value for name, value in record.items() if name not in _META_MEMBERS}
    if context.operation == "create":
        values = {k: v for k, v in values.items() if k in context.sent or not is_blank(v)}
    for name in context.files:
        values[name] = _name_files(values[name])
    return values


def is_blank(value: Any) -> bool:
    """Return whether PocketBase considers a field with this value empty."""
    return value in _BLANK or value == [] or value == {}


def _name_files(value: Any) -> Any:
    if isinstance(value, list):
        return [_name_files(item) for item in value]
    return value["name"] if isinstance(value, dict) else value


def build(transform: Transform, values: Json, context: TransformContext) -> Any:
    """Return the function's first argument.

    Raises:
        ValidationError: the values don't match the model. With ``validate="changed"``, errors of
            fields that an update does not change are left out.
    """
    if transform.model is None:
        return dict(values)
    try:
        return transform.model.model_validate(values)
    except ValidationError as error:
        kept = _find_unchanged(error, values, context) if transform.validate == "changed" else {}
        if not kept:
            raise
    return validate_around(transform.model, values, kept)


def _find_unchanged(error: ValidationError, values: Json, context: TransformContext) -> Json:
    """Return the values of the invalid fields that the write neither sends nor changes."""
    original = context.original or {}
    names = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
    return {
        name: values[name]
        for name in names
        if name in original
        and name in values
        and name not in context.sent
        and _is_same(original[name], values[name])
    }


def find_changes(
    values: Json, returned: BaseModel | Mapping[str, Any] | None, context: TransformContext
) -> Json:
    """Return the values that differ from the incoming ones, as JSON.

    A model's defaults are written by a create only: in an update they replace hidden fields, which
    the transform does not receive.
    """
    if returned is None or context.operation == "delete":
        return {}
    if isinstance(returned, BaseModel):
        only_set = context.operation == "update"
        returned = returned.model_dump(mode="json", by_alias=True, exclude_unset=only_set)
    return {
        name: value
        for name, value in returned.items()
        if (
            not _is_same(values[name], value)
            if name in values
            else not is_blank(value) or context.operation == "update"
        )
    }


def _is_same(before: Any, after: Any) -> bool:
    """Return whether both are the same JSON; in Python, unlike PocketBase, true equals 1."""
    if before != after or isinstance(before, bool) != isinstance(after, bool):
        return False
    if isinstance(before, dict):
        return all(_is_same(value, after[name]) for name, value in before.items())
    return not isinstance(before, list) or all(map(_is_same, before, after))


def forbids_columns(error: ValidationError) -> bool:
    """Return whether a model with ``extra="forbid"`` refused columns that it lacks.

    The model receives the whole record, so the client can't correct this.
    """
    return any(
        item["type"] == "extra_forbidden" and len(item["loc"]) == 1 for item in error.errors()
    )


def describe(error: ValidationError) -> tuple[dict[str, tuple[str, str]], str]:
    """Return code and message by field, and the first message that concerns no field."""
    fields: dict[str, tuple[str, str]] = {}
    general = ""
    for item in error.errors(include_url=False, include_context=False):
        name, *place = [str(part) for part in item["loc"]] or [""]
        message = _sentence(item["msg"])
        if place:
            message = f"{'.'.join(place)}: {message}"
        if not name:
            general = general or message
        elif item["type"] == "missing" or (not place and _is_empty(item)):
            fields.setdefault(name, ("validation_required", "Cannot be blank."))
        else:
            fields.setdefault(name, (f"validation_{item['type']}", message))
    return fields, general


def _is_empty(item: ErrorDetails) -> bool:
    """Return whether PocketBase's empty value was refused, of a date or relation for example.

    Texts have their own minimum, and messages of a team's validators are kept.
    """
    type = item["type"]
    return item["input"] in ("", None) and type in _ERROR_TYPES and not type.startswith("string_")


def _sentence(message: str) -> str:
    text = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
