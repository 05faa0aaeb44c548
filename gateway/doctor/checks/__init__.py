"""The checks, by the part of the deployment; importing this package fills `CHECKS`."""

from gateway.doctor.checks import (  # isort: skip: the order of the table.
    settings,
    secrets,
    versions,
    app,
    pocketbase,
    hooks,
    collections,
    storage,
    backups,
    gateway,
    events,
    work,
    stripe,
    webhooks,
    clocks,
    web,
)

__all__ = [
    "app",
    "backups",
    "clocks",
    "collections",
    "events",
    "gateway",
    "hooks",
    "pocketbase",
    "secrets",
    "settings",
    "storage",
    "stripe",
    "versions",
    "web",
    "webhooks",
    "work",
]
