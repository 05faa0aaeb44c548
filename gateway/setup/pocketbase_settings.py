"""PocketBase's own settings as a deployment needs them, and the difference from the present ones.

Pure. Rules and limits that are set already stay; secrets are not shown by PocketBase.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.rows import Json

#: As PocketBase's own default; not above its pool of VMs for hooks.
BATCH_REQUESTS = 50
BATCH_SECONDS = 3
BATCH_BYTES = 32 * 1024 * 1024
BACKUP_CRON = "0 3 * * *"
BACKUPS_KEPT = 7
#: Where SMTP is encrypted from the start.
_TLS_PORT = 465


@dataclass(frozen=True, slots=True)
class MailServer:
    """The SMTP server of PocketBase's mails."""

    host: str
    port: int = 587
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The S3 bucket of PocketBase's backups."""

    name: str
    region: str
    endpoint: str
    access_key: str
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class WantedSettings:
    """The settings of a deployment; empty ones stay as they are."""

    app_url: str = ""
    app_name: str = ""
    sender_name: str = ""
    sender_address: str = ""
    #: Whether Caddy is in front, which sets X-Forwarded-For.
    is_behind_proxy: bool = False
    #: Addresses or networks of the gateway, which rate limits must not count.
    gateway_networks: tuple[str, ...] = ()
    mail: MailServer | None = None
    bucket: Bucket | None = None
    backup_cron: str = ""


def find_changes(current: Json, wanted: WantedSettings) -> Json:
    """Return the body of the PATCH: only groups that differ, without write-only secrets."""
    groups = {
        "meta": _meta(wanted),
        "trustedProxy": {"headers": ["X-Forwarded-For"]} if wanted.is_behind_proxy else {},
        "rateLimits": _rate_limits(current.get("rateLimits") or {}, wanted),
        "batch": _batch(current.get("batch") or {}),
        "smtp": _smtp(wanted.mail),
        "backups": _backups(current.get("backups") or {}, wanted),
    }
    changes = {name: _differing(current.get(name) or {}, group) for name, group in groups.items()}
    return {name: group for name, group in changes.items() if group}


def add_secrets(changes: Json, wanted: WantedSettings) -> Json:
    """Return the changes with the secrets, which PocketBase stores and never shows."""
    merged = {name: dict(group) for name, group in changes.items()}
    if wanted.mail and wanted.mail.password:
        merged.setdefault("smtp", {})["password"] = wanted.mail.password
    if wanted.bucket and wanted.bucket.secret:
        backups = merged.setdefault("backups", {})
        backups["s3"] = {**backups.get("s3", {}), "secret": wanted.bucket.secret}
    return merged


def describe_changes(changes: Json) -> list[str]:
    """Return one line per changed value, in the terms of PocketBase's settings."""
    return [f"{path} = {value}" for path, value in _flatten(changes)]


def _meta(wanted: WantedSettings) -> Json:
    given = {
        "appURL": wanted.app_url,
        "appName": wanted.app_name,
        "senderName": wanted.sender_name,
        "senderAddress": wanted.sender_address,
    }
    return {name: value for name, value in given.items() if value}


def _rate_limits(current: Json, wanted: WantedSettings) -> Json:
    excluded = list(current.get("excludedIPs") or [])
    missing = [each for each in wanted.gateway_networks if each not in excluded]
    return {"enabled": True, "excludedIPs": [*excluded, *missing]}


def _batch(current: Json) -> Json:
    """Return the limits; those that are set stay."""
    return {
        "enabled": True,
        "maxRequests": current.get("maxRequests") or BATCH_REQUESTS,
        "timeout": current.get("timeout") or BATCH_SECONDS,
        "maxBodySize": current.get("maxBodySize") or BATCH_BYTES,
    }


def _smtp(mail: MailServer | None) -> Json:
    if mail is None:
        return {}
    return {
        "enabled": True,
        "host": mail.host,
        "port": mail.port,
        "username": mail.username,
        "tls": mail.port == _TLS_PORT,
    }


def _backups(current: Json, wanted: WantedSettings) -> Json:
    cron = wanted.backup_cron or current.get("cron") or BACKUP_CRON
    # PocketBase's default of 3 counts as not chosen until there is a schedule.
    kept = current.get("cronMaxKeep") if current.get("cron") else BACKUPS_KEPT
    found: Json = {"cron": cron, "cronMaxKeep": kept}
    if bucket := wanted.bucket:
        found["s3"] = {
            "enabled": True,
            "bucket": bucket.name,
            "region": bucket.region,
            "endpoint": bucket.endpoint,
            "accessKey": bucket.access_key,
        }
    return found


def _differing(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Json:
    found: Json = {}
    for name, value in wanted.items():
        if isinstance(value, Mapping):
            if inner := _differing(current.get(name) or {}, value):
                found[name] = inner
        elif current.get(name) != value:
            found[name] = value
    return found


def _flatten(changes: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in changes.items():
        path = f"{prefix}{name}"
        found += _flatten(value, f"{path}.") if isinstance(value, Mapping) else [(path, value)]
    return found
