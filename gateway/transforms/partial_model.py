"""Validates a record by its model, except for some fields that are taken as they are stored."""

from typing import Any

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

from gateway.rows import Json


def validate_around(model: type[BaseModel], values: Json, kept: Json) -> BaseModel:
    """Return the model's instance with these values; `kept` are in it without validation.

    The instance is of a subclass of the model. The kept fields do not count as set: what the
    function returns leaves them as they are stored.

    Args:
        values: all values, by the names that PocketBase has for them (aliases).
        kept: those that are not validated, by the same names.

    Raises:
        ValidationError: another value is not valid.
    """
    fields: dict[str, Any] = {
        name: (Any, Field(default=kept[alias], alias=field.alias))
        for name, field in model.model_fields.items()
        for alias in [_name_of(name, field)]
        if alias in kept
    }
    partial: type[BaseModel] = create_model(model.__name__, __base__=model, **fields)
    return partial.model_validate({k: v for k, v in values.items() if k not in kept})


def _name_of(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias if isinstance(field.validation_alias, str) else field.alias
    return alias or name
