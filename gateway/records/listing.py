"""A transform as people read it: on the command line and in /docs."""

import inspect

from gateway.records.transform import OPERATIONS, Transform
from gateway.writes import Json


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
