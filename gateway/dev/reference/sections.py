"""The sections of settings, in the order of .env.example and docs/settings.md."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import BaseModel

from gateway.collection_settings import CollectionSettings
from gateway.dev.compose_settings import ComposeSettings
from gateway.dev.reference.setting import Setting
from gateway.dev.settings import StackSettings
from gateway.hook_settings import HookSettings
from gateway.settings import Settings

#: The settings classes, and the process that reads them.
_READERS: tuple[tuple[type[BaseModel], str], ...] = (
    (Settings, "the gateway"),
    (HookSettings, "PocketBase"),
    (StackSettings, "`gateway dev` (`make run`)"),
    (ComposeSettings, "`compose.yaml`"),
)


@dataclass(frozen=True, slots=True)
class Section:
    """A group of settings."""

    title: str
    #: Settings of the section, in order.
    names: tuple[str, ...] = ()
    #: Prefixes of further settings of the section.
    prefixes: tuple[str, ...] = ()
    text: str = ""
    settings: list[Setting] = field(default_factory=list)


def read_sections() -> tuple[Section, ...]:
    """Return all settings by section; settings without a section are in "Gateway"."""
    sections = _sections()
    for setting in _read_settings():
        _choose(sections, setting.name).settings.append(setting)
    for section in sections:
        section.settings.sort(key=lambda setting: _rank(section, setting))
    return sections


def _sections() -> tuple[Section, ...]:
    return (
        Section(
            "Stripe",
            (
                "STRIPE_SECRET_KEY",
                "STRIPE_WEBHOOK_SECRETS",
                "GATEWAY_STRIPE_ACCOUNT",
                "STRIPE_API_BASE",
            ),
        ),
        Section(
            "PocketBase",
            (
                "POCKETBASE_SUPERUSER_EMAIL",
                "POCKETBASE_SUPERUSER_PASSWORD",
                "POCKETBASE_URL",
                "POCKETBASE_MIGRATIONS",
            ),
        ),
        Section(
            "Names of collections (docs/mirror.md; the gateway and PocketBase need the same)",
            tuple(name.upper() for name in CollectionSettings.model_fields),
        ),
        Section("Gateway", ("GATEWAY_APP", "GATEWAY_FRONTEND_ORIGINS", "GATEWAY_CORS_HEADERS")),
        Section(
            "Transforms: Python functions on PocketBase's own CRUD (docs/transforms.md)",
            (
                "GATEWAY_HOOK_SECRETS",
                "GATEWAY_PUBLIC_URL",
                "GATEWAY_TRANSFORM_SUPERUSER_WRITES",
                "GATEWAY_TRANSFORM_HEADERS",
                "GATEWAY_MAX_TRANSFORM_BYTES",
            ),
            ("GATEWAY_TRANSFORM_",),
        ),
        Section(
            "Entitlements (docs/entitlements.md; PocketBase reads these)",
            ("GATEWAY_GRACE_DAYS", "GATEWAY_ON_REFUND"),
        ),
        Section(
            "Realtime (docs/operations.md; PocketBase reads these)",
            prefixes=("GATEWAY_REALTIME_",),
        ),
        Section(
            "Notifications (docs/guides/notifications.md)",
            (
                "GATEWAY_EMAIL_NOTIFICATIONS",
                "GATEWAY_MAIL_SENDER",
                "GATEWAY_NOTIFY_EMAIL",
                "GATEWAY_MAIL_TEMPLATES",
                "GATEWAY_SMTP_URL",
                "GATEWAY_NOTIFICATION_MAX_AGE_HOURS",
            ),
            ("GATEWAY_MAIL_",),
        ),
        Section("Ports on 127.0.0.1", ("POCKETBASE_PORT", "GATEWAY_PORT", "SIMULATOR_PORT")),
        Section(
            "Containers (docker/README.md)",
            tuple(name.upper() for name in ComposeSettings.model_fields),
        ),
        Section(
            "The simulator under compose (--profile simulator)",
            text=(
                "Set STRIPE_API_BASE=http://simulator:12111, STRIPE_SECRET_KEY to any sk_test_… of "
                "your own making and STRIPE_WEBHOOK_SECRETS to one whsec_… of your own making; the "
                "simulator accepts both. See docker/README.md."
            ),
        ),
    )


def _read_settings() -> Iterator[Setting]:
    for kind, reader in _READERS:
        schema = kind.model_json_schema()
        for name in kind.model_fields:
            yield Setting.of(name, schema, _choose_reader(name, reader))


def _choose_reader(name: str, reader: str) -> str:
    if name in CollectionSettings.model_fields:
        return "the gateway and PocketBase"
    return f"{reader} and `compose.yaml`" if name.endswith("_port") else reader


def _choose(sections: tuple[Section, ...], name: str) -> Section:
    for section in sections:
        if name in section.names or name.startswith(section.prefixes or ("\0",)):
            return section
    return next(section for section in sections if section.title == "Gateway")


def _rank(section: Section, setting: Setting) -> int:
    """Return the sort key: listed settings first, in the section's order, then the others."""
    names = section.names
    return names.index(setting.name) if setting.name in names else len(names)
