"""The settings of a running `make run`, for commands without settings in their environment."""

import fcntl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.json_codec import load

#: The member with the project's folder, beside the settings.
PROJECT = "GATEWAY_DEV_PROJECT"
#: The folder of a run's files, below the folder in which it was started.
_FOLDER = ".local"
#: Prefixes of the settings that choose the services of a command.
_TARGETS = ("POCKETBASE_", "STRIPE_")
#: Settings of `gateway dev` that choose no service.
_OTHERS = ("POCKETBASE_PORT", "POCKETBASE_MIGRATIONS")


@dataclass(frozen=True, slots=True)
class RunningSettings:
    """The settings of a run."""

    folder: Path
    #: By field name, without those that the environment sets.
    values: Mapping[str, str]
    #: The folder of its app; None if it runs without a project.
    project: Path | None = None


def find_running_settings(start: Path, environment: Mapping[str, str]) -> RunningSettings | None:
    """Return the settings of the run in this folder or the nearest one above it.

    Returns:
        None if no run is active, or if the environment names a PocketBase or Stripe, because the
        settings of two deployments must not be mixed.
    """
    if names_services(environment):
        return None
    for folder in (parent / _FOLDER for parent in (start, *start.parents)):
        file = folder / "settings.json"
        if file.is_file() and _is_running(folder):
            given = {name.upper() for name, text in environment.items() if text}
            stored = load(file.read_text())
            project = stored.pop(PROJECT, None)
            values = {name.lower(): text for name, text in stored.items() if name not in given}
            return RunningSettings(folder, values, Path(project) if project else None)
    return None


def names_services(environment: Mapping[str, str]) -> bool:
    """Return whether the environment chooses the services of a command."""
    return any(_is_target(name.upper()) and text for name, text in environment.items())


def _is_target(name: str) -> bool:
    return name.startswith(_TARGETS) and name not in _OTHERS


def _is_running(folder: Path) -> bool:
    """Return whether a process holds the lock; a killed run leaves its files behind."""
    try:
        with (folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
