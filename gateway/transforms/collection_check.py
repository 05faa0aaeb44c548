"""Compares PocketBase's collections with the transforms and their models. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo

from gateway.pocketbase.contracts.collections import CollectionColumns
from gateway.transforms.table import Table
from gateway.transforms.transform import Transform


def find_faults(table: Table, collections: Mapping[str, CollectionColumns]) -> list[str]:
    """Return the faults that keep transforms from working, one sentence each.

    Args:
        table: the transforms.
        collections: the existing collections, by the name that a transform uses.
    """
    faults: dict[str, None] = {}
    for transform in table.transforms:
        at = f"{transform.source}: " if transform.source else ""
        found = _find_faults(transform, collections)
        faults.update(dict.fromkeys(f"{at}{fault}" for fault in found))
    return list(faults)


def find_absent(table: Table, collections: Mapping[str, CollectionColumns]) -> list[str]:
    """Return the missing collections of transforms with ``may_come_later``."""
    names = {each.collection for each in table.transforms if each.may_come_later}
    return sorted(names - collections.keys())


def refuse_view(name: str) -> str:
    """Return the fault of a transform for a view."""
    return f"The collection {name} of a transform is a view, which can't be written to."


def _find_faults(
    transform: Transform, collections: Mapping[str, CollectionColumns]
) -> Iterator[str]:
    name = transform.collection
    collection = collections.get(name)
    if collection is None:
        if not transform.may_come_later:
            yield (
                f"There is no collection {name} for a transform: correct its name, "
                "create the collection, or set may_come_later=True."
            )
    elif collection.type == "view":
        yield refuse_view(name)
    elif transform.model is not None:
        yield from _compare(transform.model, name, collection.columns)


def _compare(model: type[BaseModel], name: str, columns: Mapping[str, bool]) -> Iterator[str]:
    """Yield fields without a column, and required fields with a hidden column."""
    for field, info in model.model_fields.items():
        accepted = _names_of(field, info, model)
        if info.exclude or any(columns.get(each) is False for each in accepted):
            continue
        column = accepted[0]
        if not any(each in columns for each in accepted):
            yield (
                f"The model {model.__name__} has the field {column}, but {name} has no such "
                "column: the column was renamed or removed, or the field is misspelt."
            )
        elif info.is_required():
            yield (
                f"The model {model.__name__} requires the field {column}, but this column of "
                f"{name} is hidden: transforms don't receive hidden fields."
            )


def _names_of(field: str, info: FieldInfo, model: type[BaseModel]) -> list[str]:
    """Return the names under which a field is read from the input."""
    found: list[Any] = [field] if model.model_config.get("populate_by_name") else []
    alias = info.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    found += [each.path[0] if isinstance(each, AliasPath) else each for each in choices if each]
    return [str(each) for each in found] or [field]
