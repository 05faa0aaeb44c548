"""Describes a transform for the command line and /docs."""

import inspect
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from gateway.rows import Json
from gateway.transforms.transform import OPERATIONS, Transform


class LenientSchema(GenerateJsonSchema):
    """Describes types without a JSON schema as any value."""

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:
        """Return the schema of any value."""
        return {}


def describe_transform(transform: Transform) -> Json:
    """Return a transform's options, function and summary, and the JSON schema of its model."""
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
        "schema": model and model.model_json_schema(schema_generator=LenientSchema),
    }
