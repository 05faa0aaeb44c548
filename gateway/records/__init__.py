"""Logic of one's own on PocketBase's CRUD: what a module named by GATEWAY_TRANSFORMS imports."""

from gateway.pocketbase import filter
from gateway.records.transform import (
    BLANK_AS_NONE,
    Context,
    Dependencies,
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
    "Dependencies",
    "FieldErrors",
    "File",
    "Operation",
    "Refused",
    "RequestInfo",
    "Transform",
    "Write",
    "filter",
]
