"""Transforms: a team's Python functions that direct writes to PocketBase pass through."""

from gateway.pocketbase import filter
from gateway.transforms.refusals import FieldErrors, Refused
from gateway.transforms.transform import (
    BLANK_AS_NONE,
    File,
    Operation,
    RequestInfo,
    Transform,
    TransformContext,
    Write,
)

__all__ = [
    "BLANK_AS_NONE",
    "FieldErrors",
    "File",
    "Operation",
    "Refused",
    "RequestInfo",
    "Transform",
    "TransformContext",
    "Write",
    "filter",
]
