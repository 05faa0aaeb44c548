"""A business-logic gateway beside PocketBase: everything that a team's app imports.

    from gateway import CurrentUser, Gateway, PocketBase

    app = Gateway()

Names are loaded when they are first used, so that a command or a module that needs one does not
wait for all. Everything that is not listed here may change in any release.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gateway.version import __version__

if TYPE_CHECKING:
    from gateway.application import Gateway, Router
    from gateway.callers import AuthRecord, CurrentUser, OptionalUser, Superuser
    from gateway.dependencies import PocketBaseDep as PocketBase
    from gateway.dependencies import SettingsDep as Settings
    from gateway.dependencies import StripeDep as Stripe
    from gateway.dependencies import UserPocketBaseDep as UserPocketBase
    from gateway.dependencies import get_pocketbase, get_settings, get_stripe
    from gateway.errors import GatewayError
    from gateway.notifications.handlers import EventContext
    from gateway.notifications.notification import Notification as Event
    from gateway.pocketbase import filter
    from gateway.pocketbase.api import (
        Auth,
        Batch,
        BatchFailed,
        Change,
        Collection,
        Credentials,
        Download,
        FieldError,
        FileTooLarge,
        FileUpload,
        Forbidden,
        Gap,
        InvalidAnswer,
        InvalidRecord,
        InvalidValue,
        MfaRequired,
        NotFound,
        Page,
        PocketBaseClient,
        PocketBaseError,
        RateLimited,
        Subscription,
        Unauthenticated,
        Unavailable,
        ValidationFailed,
    )
    from gateway.records.transform import BLANK_AS_NONE, File, RequestInfo, Transform, Write
    from gateway.records.transform import Context as TransformContext
    from gateway.records.verdicts import FieldErrors, Refused
    from gateway.settings import SettingsError
    from gateway.start_error import InvalidRegistration, StartError
    from gateway.writes import Json as Row
    from gateway.writes import Json as StripeObject

#: Public name → module, and the name there where it differs.
_PLACES = {
    "Auth": "pocketbase.api",
    "AuthRecord": "callers",
    "BLANK_AS_NONE": "records.transform",
    "Batch": "pocketbase.api",
    "BatchFailed": "pocketbase.api",
    "Change": "pocketbase.api",
    "Collection": "pocketbase.api",
    "Credentials": "pocketbase.api",
    "CurrentUser": "callers",
    "Download": "pocketbase.api",
    "Event": "notifications.notification:Notification",
    "EventContext": "notifications.handlers",
    "FieldError": "pocketbase.api",
    "FieldErrors": "records.verdicts",
    "File": "records.transform",
    "FileTooLarge": "pocketbase.api",
    "FileUpload": "pocketbase.api",
    "Forbidden": "pocketbase.api",
    "Gap": "pocketbase.api",
    "Gateway": "application",
    "GatewayError": "errors",
    "InvalidAnswer": "pocketbase.api",
    "InvalidRecord": "pocketbase.api",
    "InvalidRegistration": "start_error",
    "InvalidValue": "pocketbase.api",
    "MfaRequired": "pocketbase.api",
    "NotFound": "pocketbase.api",
    "OptionalUser": "callers",
    "Page": "pocketbase.api",
    "PocketBase": "dependencies:PocketBaseDep",
    "PocketBaseClient": "pocketbase.api",
    "PocketBaseError": "pocketbase.api",
    "RateLimited": "pocketbase.api",
    "Refused": "records.verdicts",
    "RequestInfo": "records.transform",
    "Router": "application",
    "Row": "writes:Json",
    "Settings": "dependencies:SettingsDep",
    "SettingsError": "settings",
    "StartError": "start_error",
    "Stripe": "dependencies:StripeDep",
    "StripeObject": "writes:Json",
    "Subscription": "pocketbase.api",
    "Superuser": "callers",
    "Transform": "records.transform",
    "TransformContext": "records.transform:Context",
    "Unauthenticated": "pocketbase.api",
    "Unavailable": "pocketbase.api",
    "UserPocketBase": "dependencies:UserPocketBaseDep",
    "ValidationFailed": "pocketbase.api",
    "Write": "records.transform",
    "filter": "pocketbase",
    "get_pocketbase": "dependencies",
    "get_settings": "dependencies",
    "get_stripe": "dependencies",
}

__all__ = [
    "BLANK_AS_NONE",
    "Auth",
    "AuthRecord",
    "Batch",
    "BatchFailed",
    "Change",
    "Collection",
    "Credentials",
    "CurrentUser",
    "Download",
    "Event",
    "EventContext",
    "FieldError",
    "FieldErrors",
    "File",
    "FileTooLarge",
    "FileUpload",
    "Forbidden",
    "Gap",
    "Gateway",
    "GatewayError",
    "InvalidAnswer",
    "InvalidRecord",
    "InvalidRegistration",
    "InvalidValue",
    "MfaRequired",
    "NotFound",
    "OptionalUser",
    "Page",
    "PocketBase",
    "PocketBaseClient",
    "PocketBaseError",
    "RateLimited",
    "Refused",
    "RequestInfo",
    "Router",
    "Row",
    "Settings",
    "SettingsError",
    "StartError",
    "Stripe",
    "StripeObject",
    "Subscription",
    "Superuser",
    "Transform",
    "TransformContext",
    "Unauthenticated",
    "Unavailable",
    "UserPocketBase",
    "ValidationFailed",
    "Write",
    "__version__",
    "filter",
    "get_pocketbase",
    "get_settings",
    "get_stripe",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _PLACES[name].partition(":")
    found = getattr(import_module(f"gateway.{module}"), attribute or name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
