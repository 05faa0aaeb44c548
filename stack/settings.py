"""The settings of `make run`: the environment, and `.env` for what it leaves out."""

import os
from pathlib import Path

from dotenv import dotenv_values


def read_settings(env_file: Path) -> dict[str, str]:
    """Return the settings by name; an empty value counts as not set."""
    from_file = dotenv_values(env_file, interpolate=False)
    return {name: text for name, text in (*from_file.items(), *os.environ.items()) if text}
