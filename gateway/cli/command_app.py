"""The app of a command: that of its environment, its folder, or of a running `make run`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.running_settings import RunningSettings, find_running_settings

if TYPE_CHECKING:
    from gateway.app.application import Gateway


def load_command_app() -> "Gateway":
    """Return the app; a plain gateway where there is none.

    ``GATEWAY_APP`` comes first, then an app in the working directory, then the app of the run whose
    settings the command uses. In the run's own project, the run's ``GATEWAY_APP`` is used as well.

    Raises:
        AppNotLoaded: names what can't be imported, and where.
        InvalidRegistration: a declaration of the app is wrong.
    """
    # Imported here, because FastAPI loads slowly and the other commands don't need it.
    from gateway.app.loader import has_app, load_app

    run = find_running_settings(Path.cwd(), os.environ)
    if os.environ.get("GATEWAY_APP") or run is None or run.project is None:
        return load_app()
    if has_app(Path.cwd()) and Path.cwd() != run.project:
        return load_app()
    return load_app({"GATEWAY_APP": _read_name(run)}, run.project)


def _read_name(run: RunningSettings) -> str:
    return run.values.get("gateway_app", "")
