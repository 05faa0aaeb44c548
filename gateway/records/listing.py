"""The table of transforms as people read it: on the command line and in /docs."""

import inspect
from typing import Any

from pydantic.json_schema import models_json_schema

from gateway.records.table import Table
from gateway.records.transform import OPERATIONS, Transform
from gateway.writes import Json

_REF = "#/components/schemas/{model}"
_COLUMNS = ("Collection", "Operations", "Function", "Model", "Time-out", "On failure")


def describe_transform(transform: Transform) -> Json:
    """Return what there is to say about a transform, with the JSON schema of its model."""
    function = transform.function
    model = transform.model
    return {
        "collection": transform.collection,
        "operations": [name for name in OPERATIONS if name in transform.operations],
        "function": f"{function.__module__}.{getattr(function, '__name__', repr(function))}",
        "summary": (inspect.getdoc(function) or "").partition("\n")[0],
        "timeout": transform.timeout,
        "on_failure": transform.on_failure,
        "files": transform.files,
        "model": model and model.__name__,
        "schema": model and model.model_json_schema(),
    }


def add_to_openapi(document: dict[str, Any], table: Table) -> None:
    """Show the table as a tag's description, and the models as what the endpoints take."""
    models = [transform.model for transform in table.transforms if transform.model]
    names, definitions = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(models)], ref_template=_REF
    )
    document["components"].setdefault("schemas", {}).update(definitions.get("$defs", {}))
    document.setdefault("tags", []).append({"name": "records", "description": _tabulate(table)})
    for path, operation in (("/records/{collection}", "create"), (_UPDATE, "update")):
        shapes = [
            names[transform.model, "validation"]
            for transform in table.transforms
            if transform.model and operation in transform.operations
        ]
        method = "post" if operation == "create" else "patch"
        content = document["paths"][path][method]["requestBody"]["content"]
        for form in content.values():
            form["schema"] = {"anyOf": shapes} if shapes else {"type": "object"}


_UPDATE = "/records/{collection}/{record_id}"


def _tabulate(table: Table) -> str:
    """The table in Markdown."""
    lines = ["Direct writes to these collections pass through Python:", ""]
    lines += [_join(_COLUMNS), _join(["---"] * len(_COLUMNS))]
    for transform in table.transforms:
        found = describe_transform(transform)
        cells = (
            f"`{found['collection']}`",
            ", ".join(found["operations"]),
            f"`{found['function']}`: {found['summary']}".rstrip(": "),
            f"`{found['model']}`" if found["model"] else "",
            f"{found['timeout']:g} s",
            found["on_failure"],
        )
        lines.append(_join(cells))
    return "\n".join(lines)


def _join(cells: Any) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
