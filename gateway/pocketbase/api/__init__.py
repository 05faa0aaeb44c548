"""The public client of PocketBase's API. See docs/pocketbase-client.md."""

from gateway.pocketbase.api.authentication import Auth
from gateway.pocketbase.api.batch import Batch, BatchCollection, BatchResult
from gateway.pocketbase.api.bodies import Body, FileUpload
from gateway.pocketbase.api.client import Collection, PocketBaseClient
from gateway.pocketbase.api.errors import (
    BatchFailed,
    FieldError,
    Forbidden,
    InvalidAnswer,
    InvalidRecord,
    MfaRequired,
    NotFound,
    PocketBaseError,
    RateLimited,
    Unauthenticated,
    Unavailable,
    ValidationFailed,
)
from gateway.pocketbase.api.files import Download, FileTooLarge
from gateway.pocketbase.api.models import Record
from gateway.pocketbase.api.realtime import Change, Gap, Subscription
from gateway.pocketbase.api.records import Page
from gateway.pocketbase.api.sessions import Credentials
from gateway.pocketbase.filters import filter
from gateway.pocketbase.values import InvalidValue

__all__ = [
    "Auth",
    "Batch",
    "BatchCollection",
    "BatchFailed",
    "BatchResult",
    "Body",
    "Change",
    "Collection",
    "Credentials",
    "Download",
    "FieldError",
    "FileTooLarge",
    "FileUpload",
    "Forbidden",
    "Gap",
    "InvalidAnswer",
    "InvalidRecord",
    "InvalidValue",
    "MfaRequired",
    "NotFound",
    "Page",
    "PocketBaseClient",
    "PocketBaseError",
    "RateLimited",
    "Record",
    "Subscription",
    "Unauthenticated",
    "Unavailable",
    "ValidationFailed",
    "filter",
]
