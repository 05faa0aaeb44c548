"""The model of a transform, from the annotation of its function's first parameter."""

import inspect
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel


def read_model(function: Callable[..., Any]) -> type[BaseModel] | None:
    """Return the model; None if the function takes a dict.

    Raises:
        ValueError: the function does not have two parameters, or an annotation can't be resolved.
    """
    try:
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())
    except NameError as error:
        raise ValueError(f"an annotation of the function can't be resolved: {error}") from error
    if len(parameters) < 2 and not any(each.kind is each.VAR_POSITIONAL for each in parameters):
        raise ValueError("a transform is called with two arguments, the values and the context")
    annotation = parameters[0].annotation
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation if is_model else None
