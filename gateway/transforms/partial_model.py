"""Validates a record with its model, except for fields that keep their stored values."""

from typing import Any

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

from gateway.rows import Json


def validate_around(model: type[BaseModel], values: Json, kept: Json) -> BaseModel:
    """Return an instance of the model with these values; `kept` are not validated.

    The instance is of a subclass of the model. The kept fields don't count as set, so they keep
    their stored values when the function returns the instance.

    Args:
        values: all values, by column (alias).
        kept: the values that are not validated, by column.

    Raises:
        ValidationError: one of the other values is not valid.
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
