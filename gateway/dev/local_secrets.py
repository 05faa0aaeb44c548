"""The secrets of a local run: generated once, kept in one file that only its owner can read."""

import secrets
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from gateway.dev.private_file import write_private

#: The address of the generated superuser.
SUPERUSER_EMAIL = "superuser@localhost.test"


@dataclass(frozen=True, slots=True)
class LocalSecrets:
    """What a local run needs when no `.env` says otherwise."""

    superuser_password: str
    simulator_secret_key: str
    simulator_webhook_secret: str
    #: Signs the calls between PocketBase's hooks and the gateway.
    hook_secret: str


def generate_secrets() -> LocalSecrets:
    """Return new random secrets, in the forms that PocketBase and Stripe use."""
    return LocalSecrets(
        superuser_password=secrets.token_urlsafe(18),
        simulator_secret_key=f"sk_test_{secrets.token_hex(16)}",
        simulator_webhook_secret=f"whsec_{secrets.token_hex(16)}",
        hook_secret=f"whsec_{b64encode(secrets.token_hex(24).encode()).decode()}",
    )


def keep_secrets(file: Path) -> tuple[LocalSecrets, bool]:
    """Return the file's secrets, and whether they were generated just now."""
    if file.exists():
        return _read(file), False
    new = generate_secrets()
    _write(file, new)
    return new, True


def _read(file: Path) -> LocalSecrets:
    found = {name: value for name, value in dotenv_values(file).items() if value}
    new = generate_secrets()
    kept = LocalSecrets(
        superuser_password=found.get("SUPERUSER_PASSWORD", new.superuser_password),
        simulator_secret_key=found.get("SIMULATOR_SECRET_KEY", new.simulator_secret_key),
        simulator_webhook_secret=found.get(
            "SIMULATOR_WEBHOOK_SECRET", new.simulator_webhook_secret
        ),
        hook_secret=found.get("HOOK_SECRET", new.hook_secret),
    )
    _write(file, kept)
    return kept


def _write(file: Path, kept: LocalSecrets) -> None:
    write_private(
        file,
        "# Made by `make run` for this machine only; never committed.\n"
        f"SUPERUSER_EMAIL={SUPERUSER_EMAIL}\n"
        f"SUPERUSER_PASSWORD={kept.superuser_password}\n"
        f"SIMULATOR_SECRET_KEY={kept.simulator_secret_key}\n"
        f"SIMULATOR_WEBHOOK_SECRET={kept.simulator_webhook_secret}\n"
        f"HOOK_SECRET={kept.hook_secret}\n",
    )
