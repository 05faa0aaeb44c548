"""A business-logic gateway beside PocketBase: the public names for a team's app.

    from gateway import CurrentUser, Gateway, PocketBase

    app = Gateway()

Names are imported at their first use, so that a command or module that needs one does not import
all. Names that are not listed here may change in any release.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gateway.version import __version__

if TYPE_CHECKING:
    from gateway.app.application import Gateway, Router
    from gateway.bulk.export_records import Export, export_records
    from gateway.bulk.import_records import Import, import_records
    from gateway.callers import (
        AuthRecord,
        CurrentUser,
        OptionalUser,
        Superuser,
        get_current_user,
        get_optional_user,
        get_superuser,
    )
    from gateway.dependencies import PocketBaseDep as PocketBase
    from gateway.dependencies import SettingsDep as Settings
    from gateway.dependencies import StripeDep as Stripe
    from gateway.dependencies import UserPocketBaseDep as UserPocketBase
    from gateway.dependencies import get_pocketbase, get_settings, get_stripe
    from gateway.effects.effect import RecordChange
    from gateway.errors import GatewayError
    from gateway.jobs.context import JobContext
    from gateway.jobs.dependency import JobsDep as Jobs
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
    from gateway.postgres.once import ONCE_TABLE, AlreadyDone, create_once_table, once
    from gateway.rows import Json as Row
    from gateway.rows import Json as StripeObject
    from gateway.schedules.schedule import Tick
    from gateway.settings import SettingsError
    from gateway.start_error import InvalidRegistration, StartError
    from gateway.transforms.refusals import FieldErrors, Refused
    from gateway.transforms.transform import (
        BLANK_AS_NONE,
        File,
        RequestInfo,
        Transform,
        TransformContext,
        Write,
    )
    from gateway.work.outcome import GiveUp
    from gateway.work.team_function import HandlerContext

#: Public name → module, and after a colon the name there if it differs.
_MODULES = {
    "AlreadyDone": "gateway.postgres.once",
    "Auth": "gateway.pocketbase.api",
    "AuthRecord": "gateway.callers",
    "BLANK_AS_NONE": "gateway.transforms.transform",
    "Batch": "gateway.pocketbase.api",
    "BatchFailed": "gateway.pocketbase.api",
    "Change": "gateway.pocketbase.api",
    "Collection": "gateway.pocketbase.api",
    "Credentials": "gateway.pocketbase.api",
    "CurrentUser": "gateway.callers",
    "Download": "gateway.pocketbase.api",
    "Event": "gateway.notifications.notification:Notification",
    "EventContext": "gateway.notifications.handlers",
    "Export": "gateway.bulk.export_records",
    "FieldError": "gateway.pocketbase.api",
    "FieldErrors": "gateway.transforms.refusals",
    "File": "gateway.transforms.transform",
    "FileTooLarge": "gateway.pocketbase.api",
    "FileUpload": "gateway.pocketbase.api",
    "Forbidden": "gateway.pocketbase.api",
    "Gap": "gateway.pocketbase.api",
    "Gateway": "gateway.app.application",
    "GatewayError": "gateway.errors",
    "GiveUp": "gateway.work.outcome",
    "HandlerContext": "gateway.work.team_function",
    "Import": "gateway.bulk.import_records",
    "InvalidAnswer": "gateway.pocketbase.api",
    "InvalidRecord": "gateway.pocketbase.api",
    "InvalidRegistration": "gateway.start_error",
    "InvalidValue": "gateway.pocketbase.api",
    "JobContext": "gateway.jobs.context",
    "Jobs": "gateway.jobs.dependency:JobsDep",
    "MfaRequired": "gateway.pocketbase.api",
    "NotFound": "gateway.pocketbase.api",
    "ONCE_TABLE": "gateway.postgres.once",
    "OptionalUser": "gateway.callers",
    "Page": "gateway.pocketbase.api",
    "PocketBase": "gateway.dependencies:PocketBaseDep",
    "PocketBaseClient": "gateway.pocketbase.api",
    "PocketBaseError": "gateway.pocketbase.api",
    "RateLimited": "gateway.pocketbase.api",
    "RecordChange": "gateway.effects.effect",
    "Refused": "gateway.transforms.refusals",
    "RequestInfo": "gateway.transforms.transform",
    "Router": "gateway.app.application",
    "Row": "gateway.rows:Json",
    "Settings": "gateway.dependencies:SettingsDep",
    "SettingsError": "gateway.settings",
    "StartError": "gateway.start_error",
    "Stripe": "gateway.dependencies:StripeDep",
    "StripeObject": "gateway.rows:Json",
    "Subscription": "gateway.pocketbase.api",
    "Superuser": "gateway.callers",
    "Tick": "gateway.schedules.schedule",
    "Transform": "gateway.transforms.transform",
    "TransformContext": "gateway.transforms.transform",
    "Unauthenticated": "gateway.pocketbase.api",
    "Unavailable": "gateway.pocketbase.api",
    "UserPocketBase": "gateway.dependencies:UserPocketBaseDep",
    "ValidationFailed": "gateway.pocketbase.api",
    "Write": "gateway.transforms.transform",
    "create_once_table": "gateway.postgres.once",
    "export_records": "gateway.bulk.export_records",
    "filter": "gateway.pocketbase",
    "get_current_user": "gateway.callers",
    "get_optional_user": "gateway.callers",
    "get_pocketbase": "gateway.dependencies",
    "get_settings": "gateway.dependencies",
    "get_stripe": "gateway.dependencies",
    "get_superuser": "gateway.callers",
    "import_records": "gateway.bulk.import_records",
    "once": "gateway.postgres.once",
}

__all__ = [
    "BLANK_AS_NONE",
    "ONCE_TABLE",
    "AlreadyDone",
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
    "Export",
    "FieldError",
    "FieldErrors",
    "File",
    "FileTooLarge",
    "FileUpload",
    "Forbidden",
    "Gap",
    "Gateway",
    "GatewayError",
    "GiveUp",
    "HandlerContext",
    "Import",
    "InvalidAnswer",
    "InvalidRecord",
    "InvalidRegistration",
    "InvalidValue",
    "JobContext",
    "Jobs",
    "MfaRequired",
    "NotFound",
    "OptionalUser",
    "Page",
    "PocketBase",
    "PocketBaseClient",
    "PocketBaseError",
    "RateLimited",
    "RecordChange",
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
    "Tick",
    "Transform",
    "TransformContext",
    "Unauthenticated",
    "Unavailable",
    "UserPocketBase",
    "ValidationFailed",
    "Write",
    "__version__",
    "create_once_table",
    "export_records",
    "filter",
    "get_current_user",
    "get_optional_user",
    "get_pocketbase",
    "get_settings",
    "get_stripe",
    "get_superuser",
    "import_records",
    "once",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _MODULES[name].partition(":")
    found = getattr(import_module(module), attribute or name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
