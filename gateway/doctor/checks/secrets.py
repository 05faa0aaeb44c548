"""Secrets: long enough, readable by their owner alone, and the same on both sides."""

import hashlib
import hmac
import stat
from collections.abc import Iterator
from pathlib import Path

from gateway.doctor.check import CheckResult, check, failed, ok
from gateway.doctor.context import Context
from gateway.doctor.given import Skipped
from gateway.pocketbase.contracts.diagnosis import PROBE
from gateway.settings import PocketBaseSettings, Settings

_MIN_PASSWORD_CHARACTERS = 12
#: Passwords and keys of documents and examples.
_WELL_KNOWN = ("password", "changeme", "change-me", "secret", "example", "1234567890", "test1234")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
#: Files with secrets below the working directory.
_FILES = (".env", ".local/secrets.env", ".local/settings.json", "secrets")


@check("secrets.strength", "No secret is short or well known", "settings")
async def check_strength(context: Context) -> CheckResult:
    """Check lengths, and compare with values of documents."""
    weak = list(_find_weak(context.given.pocketbase_settings))
    if weak:
        return failed(
            f"{', '.join(weak)} can be guessed.",
            "Replace each by a new one (`openssl rand -hex 24`), on both sides.",
        )
    return ok("no secret is short or well known")


def _find_weak(settings: PocketBaseSettings) -> Iterator[str]:
    password = settings.pocketbase_superuser_password.get_secret_value()
    if _is_weak(password):
        yield "POCKETBASE_SUPERUSER_PASSWORD"
    token = settings.gateway_metrics_token
    if token and _is_weak(token.get_secret_value()):
        yield "GATEWAY_METRICS_TOKEN"
    if any(len(set(key)) < 8 for key in settings.hook_keys):
        yield "GATEWAY_HOOK_SECRETS"
    if isinstance(settings, Settings) and any(
        len(secret) < 20 for secret in settings.webhook_secrets
    ):
        yield "STRIPE_WEBHOOK_SECRETS"


def _is_weak(secret: str) -> bool:
    lowered = secret.lower()
    return (
        len(secret) < _MIN_PASSWORD_CHARACTERS
        or len(set(secret)) < 5
        or any(known in lowered for known in _WELL_KNOWN)
    )


@check("secrets.files", "Only their owner can read files with secrets", "this machine")
async def check_files(context: Context) -> CheckResult:
    """Check the modes of `.env` and of the folders with secrets."""
    present = [path for name in _FILES if (path := context.given.folder / name).exists()]
    if not present:
        raise Skipped("there is no .env and no folder of secrets here")
    open_ = [path for path in present if _is_open(path)]
    if open_:
        names = " ".join(str(path.relative_to(context.given.folder)) for path in open_)
        return failed(
            f"other users of this machine can read {names}.",
            f"Run `chmod go-rwx {names}`.",
        )
    return ok(f"{len(present)} files and folders are readable by their owner alone")


def _is_open(path: Path) -> bool:
    return bool(path.stat().st_mode & _OTHERS)


@check("secrets.hooks", "PocketBase has the gateway's hook secrets", "pocketbase", "hooks")
async def check_hook_secrets(context: Context) -> CheckResult:
    """Compare the secrets by an HMAC of each."""
    if context.given.is_remote:
        raise Skipped("the gateway's hook secrets are not visible from outside")
    settings = context.given.pocketbase_settings
    ours = [each.get_secret_value() for each in settings.gateway_hook_secrets]
    theirs = (await context.facts.read_diagnosis()).hook_secrets
    if not ours and not theirs:
        if context.given.declarations.transforms:
            return failed(
                "the app has transforms, but GATEWAY_HOOK_SECRETS is not set.",
                "Set the same value for PocketBase and the gateway, and restart both.",
            )
        return ok("no secret is set, and the app needs none: it has no transforms")
    signed = [hmac.digest(each.encode(), PROBE.encode(), hashlib.sha256).hex() for each in ours]
    if not signed or not theirs or signed[0] not in theirs or theirs[0] not in signed:
        return failed(
            "GATEWAY_HOOK_SECRETS differs between PocketBase and the gateway.",
            "Set the same value for both, and restart both.",
        )
    return ok("PocketBase and the gateway have the same secrets")
