"""Records as Pydantic models. Pure.

PocketBase has no null: an empty date, relation, file or text is "". A field whose type allows None
becomes None.
"""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError

from gateway.pocketbase.api.errors import InvalidAnswer, InvalidRecord

#: A record without a model.
Record = dict[str, Any]
#: `Record`, or a Pydantic model.
T = TypeVar("T")


def read_record(model: type[T] | None, value: Any, collection: str) -> T:
    """Return a record as its model, or as a dict if there is none.

    Raises:
        InvalidRecord: it does not fit the model; the message names the fields, not the values.
        InvalidAnswer: it is not a JSON object.
    """
    if not isinstance(value, dict):
        raise InvalidAnswer(f"PocketBase's answer for a record of {collection} is not an object.")
    if model is None:
        return cast("T", value)
    assert issubclass(model, BaseModel)
    try:
        return cast("T", model.model_validate(_empty_to_none(model, value)))
    except ValidationError as error:
        raise InvalidRecord(_describe(error, model, value, collection)) from None


def _empty_to_none(model: type[BaseModel], record: Record) -> Record:
    found = dict(record)
    for name, info in model.model_fields.items():
        alias = info.validation_alias
        for key in {name, info.alias or name, alias if isinstance(alias, str) else name}:
            if key in found:
                found[key] = _convert(info.annotation, found[key])
    return found


def _convert(annotation: Any, value: Any) -> Any:
    kinds = list(_members(annotation))
    if value == "" and type(None) in kinds:
        return None
    if isinstance(value, dict):
        return _convert_object(kinds, value)
    if isinstance(value, list):
        items = [get_args(kind) for kind in kinds if get_origin(kind) in (list, tuple, set)]
        return [_convert(items[0][0], each) for each in value] if items and items[0] else value
    return value


def _convert_object(kinds: list[Any], value: Record) -> Record:
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return _empty_to_none(kind, value)
        if get_origin(kind) is dict:
            _, of = get_args(kind)
            return {name: _convert(of, each) for name, each in value.items()}
    return value


def _members(annotation: Any) -> Iterator[Any]:
    """Yield the types of a union."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for each in get_args(annotation):
            yield from _members(each)
    else:
        yield annotation


def _describe(
    error: ValidationError, model: type[BaseModel], record: Record, collection: str
) -> str:
    fields = "; ".join(
        f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
        for each in error.errors(include_url=False, include_input=False, include_context=False)[:5]
    )
    name = f"{collection}/{record.get('id', '?')}"
    return f"The record {name} does not fit {model.__name__}: {fields}"
