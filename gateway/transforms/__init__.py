"""A team's own logic on PocketBase's CRUD."""

from gateway.pocketbase import filter
from gateway.transforms.refusals import FieldErrors, Refused
from gateway.transforms.transform import (
    BLANK_AS_NONE,
    Context,
    File,
    Operation,
    RequestInfo,
    Transform,
    Write,
)

__all__ = [
    "BLANK_AS_NONE",
    "Context",
    "FieldErrors",
    "File",
    "Operation",
    "Refused",
    "RequestInfo",
    "Transform",
    "Write",
    "filter",
]
