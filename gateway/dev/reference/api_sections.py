"""The sections of docs/reference.md: which public names they have, in order."""

from importlib import import_module

import gateway

#: Title → names of `gateway`.
SECTIONS: dict[str, tuple[str, ...]] = {
    "App": ("Gateway", "Router"),
    "Dependencies": (
        "CurrentUser",
        "OptionalUser",
        "Superuser",
        "AuthRecord",
        "PocketBase",
        "UserPocketBase",
        "Stripe",
        "Settings",
        "get_current_user",
        "get_optional_user",
        "get_superuser",
        "get_pocketbase",
        "get_stripe",
        "get_settings",
    ),
    "Transforms": (
        "TransformContext",
        "FieldErrors",
        "Refused",
        "File",
        "RequestInfo",
        "Write",
        "Transform",
        "BLANK_AS_NONE",
    ),
    "Jobs, schedules and effects": (
        "Jobs",
        "JobContext",
        "Tick",
        "RecordChange",
        "HandlerContext",
        "GiveUp",
    ),
    "Mirrors and events": ("Row", "StripeObject", "Event", "EventContext"),
    "PocketBase client": (
        "PocketBaseClient",
        "Collection",
        "filter",
        "Credentials",
        "Auth",
        "Page",
        "Batch",
        "FileUpload",
        "Download",
        "Subscription",
        "Change",
        "Gap",
    ),
    "Errors of PocketBase": (
        "PocketBaseError",
        "ValidationFailed",
        "FieldError",
        "BatchFailed",
        "Unauthenticated",
        "MfaRequired",
        "Forbidden",
        "NotFound",
        "RateLimited",
        "Unavailable",
        "InvalidAnswer",
        "InvalidRecord",
        "InvalidValue",
        "FileTooLarge",
    ),
    "Errors of the start, and others": (
        "GatewayError",
        "StartError",
        "InvalidRegistration",
        "SettingsError",
    ),
    "PostgreSQL": ("once", "create_once_table", "ONCE_TABLE", "AlreadyDone"),
    "Version": ("__version__",),
}
TESTING_TITLE = "Tests: gateway.testing"


def read_api() -> dict[str, dict[str, object]]:
    """Return the public objects by section and name; names without a section are in "Others"."""
    listed = {name for names in SECTIONS.values() for name in names}
    others = tuple(name for name in gateway.__all__ if name not in listed)
    sections = {**SECTIONS, **({"Others": others} if others else {})}
    found: dict[str, dict[str, object]] = {
        title: {name: getattr(gateway, name) for name in names} for title, names in sections.items()
    }
    # By its name: it is in a layer above.
    testing = import_module("gateway.testing")
    found[TESTING_TITLE] = {name: getattr(testing, name) for name in testing.__all__}
    return found
