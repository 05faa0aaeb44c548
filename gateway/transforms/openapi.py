"""Adds the transforms to the OpenAPI document: a path per collection, with its model."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.transforms.description import LenientSchema, describe_transform
from gateway.transforms.table import Table
from gateway.transforms.transform import Transform

_REFS = "#/components/schemas/"
_METHODS = {"create": "post", "update": "patch"}
#: The path of writes to any collection with a transform.
RECORDS = "/records/{collection}"
_PATHS = {"create": RECORDS, "update": f"{RECORDS}/{{record_id}}"}
_COLUMNS = ("Collection", "Operations", "Function", "Model", "Time-out", "On failure")
_ANY: dict[str, Any] = {"type": "object", "additionalProperties": True}
_RECORD: dict[str, Any] = {
    "type": "object",
    "description": "A record as PocketBase returns it; `fields` and `expand` choose what it has.",
    "properties": {
        "id": {"type": "string"},
        "collectionId": {"type": "string"},
        "collectionName": {"type": "string"},
    },
    "additionalProperties": True,
}


def add_to_openapi(document: dict[str, Any], table: Table) -> None:
    """Add the table as a tag's description, the models as schemas, and paths per collection."""
    schemas = document["components"].setdefault("schemas", {})
    bodies = _add_models(schemas, table)
    schemas.setdefault("Record", _RECORD)
    document.setdefault("tags", []).append({"name": "records", "description": _tabulate(table)})
    for name, path in _PATHS.items():
        operation = document["paths"][path][_METHODS[name]]
        operation["responses"]["200"]["content"]["application/json"]["schema"] = _ref("Record")
        found = [each for kind, each in table if kind == name]
        shapes = [bodies[name, each.model] for each in found if each.model]
        _set_body(operation, {"anyOf": shapes} if shapes else _ANY)
        for transform in found:
            own = _specialize(operation, name, transform)
            _set_body(own, bodies[name, transform.model] if transform.model else _ANY)
            own_path = path.replace("{collection}", transform.collection)
            document["paths"].setdefault(own_path, {})[_METHODS[name]] = own


def _add_models(
    schemas: dict[str, Any], table: Table
) -> dict[tuple[str, type[BaseModel]], dict[str, Any]]:
    """Add the models' schemas; return references to them by operation and model.

    An update sends only the fields that change, so its schema has no required fields.
    """
    models = dict.fromkeys(each.model for each in table.transforms if each.model)
    refs, definitions = models_json_schema(
        [(model, "validation") for model in models],
        ref_template=_REFS + "{model}",
        schema_generator=LenientSchema,
    )
    found = definitions.get("$defs", {})
    names = {name: _free_name(name, schemas) for name in found}
    schemas.update({names[name]: _rename(schema, names) for name, schema in found.items()})
    bodies = {}
    for model in models:
        create = _rename(refs[model, "validation"], names)
        name = create["$ref"].removeprefix(_REFS)
        bodies["create", model] = create
        if any("update" in each.operations for each in table.transforms if each.model is model):
            partial = _free_name(f"{name}Update", schemas)
            schemas[partial] = {k: v for k, v in schemas[name].items() if k != "required"}
            bodies["update", model] = _ref(partial)
    return bodies


def _free_name(name: str, taken: Mapping[str, Any]) -> str:
    """Return a schema name that is not used yet; a model may have the name of one of ours."""
    while name in taken:
        name += "Input"
    return name


def _rename(schema: Any, names: Mapping[str, str]) -> Any:
    """Return a schema with renamed references."""
    if isinstance(schema, list):
        return [_rename(each, names) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _REFS + names[value.removeprefix(_REFS)]
        if isinstance(value, str) and value.startswith(_REFS)
        else _rename(value, names)
        for key, value in schema.items()
    }


def _specialize(operation: dict[str, Any], name: str, transform: Transform) -> dict[str, Any]:
    """Return the operation for one collection."""
    collection, function = transform.collection, transform.function
    own = deepcopy(operation)
    own["parameters"] = [each for each in own["parameters"] if each["name"] != "collection"]
    own["operationId"] = f"{name}_{collection}_record"
    own["summary"] = f"{name.capitalize()} a record of {collection}"
    summary = describe_transform(transform)["summary"]
    through = f"Passes through `{function.__module__}.{getattr(function, '__name__', function)}`"
    own["description"] += f"\n\n{through}{f': {summary}' if summary else '.'}"
    return own


def _set_body(operation: dict[str, Any], schema: dict[str, Any]) -> None:
    for form in operation["requestBody"]["content"].values():
        form["schema"] = schema


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": _REFS + name}


def _tabulate(table: Table) -> str:
    """Return the table as Markdown."""
    lines = ["Direct writes to these collections pass through Python:", ""]
    lines += [_join(_COLUMNS), _join(["---"] * len(_COLUMNS))]
    return "\n".join([*lines, *map(_join, _rows(table))])


def _rows(table: Table) -> Iterator[tuple[str, ...]]:
    for transform in table.transforms:
        found = describe_transform(transform)
        yield (
            f"`{found['collection']}`",
            ", ".join(found["operations"]),
            f"`{found['function']}`: {found['summary']}".rstrip(": "),
            f"`{found['model']}`" if found["model"] else "",
            f"{found['timeout']:g} s",
            found["on_failure"],
        )


def _join(cells: Any) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
