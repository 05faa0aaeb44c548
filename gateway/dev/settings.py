"""The settings of `make run`: the environment, and `.env` for what it leaves out."""

import os
from pathlib import Path

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field


class StackSettings(BaseModel):
    """Further settings of `make run`; compose.yaml reads the ports too."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    pocketbase_migrations: tuple[str, ...] = ()
    """Folders of further migrations that `gateway dev` gives PocketBase, besides the gateway's and
    the project's pb_migrations. Changes in the dashboard become migrations in the last of them."""
    pocketbase_port: int = Field(default=8090, ge=1, le=65_535)
    """PocketBase's port on 127.0.0.1."""
    gateway_port: int = Field(default=8000, ge=1, le=65_535)
    """The gateway's port on 127.0.0.1; with compose.yaml, Caddy's port for it."""
    simulator_port: int = Field(default=12111, ge=1, le=65_535)
    """The Stripe simulator's port on 127.0.0.1."""


def read_settings(env_file: Path) -> dict[str, str]:
    """Return the settings by name; an empty value counts as not set.

    Secrets that docker/secrets has moved out of `.env` are read from their files.
    """
    from_file = dotenv_values(env_file, interpolate=False)
    return {
        name: _read_secret(env_file.parent, name, text)
        for name, text in (*from_file.items(), *os.environ.items())
        if text
    }


def _read_secret(folder: Path, name: str, text: str) -> str:
    file = folder / text
    is_moved = text == f"secrets/{name.lower()}" and file.is_file()
    return file.read_text().strip() if is_moved else text
