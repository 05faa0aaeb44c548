"""A team's own logic on PocketBase's CRUD."""

from gateway.pocketbase import filter
from gateway.records.transform import (
    BLANK_AS_NONE,
    Context,
    File,
    Operation,
    RequestInfo,
    Transform,
    Write,
)
from gateway.records.verdicts import FieldErrors, Refused

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
