"""Finds a team's app: `GATEWAY_APP`, or a file with a usual name, as FastAPI's CLI does it."""

import importlib
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.app.application import Gateway
from gateway.app.declarations import Declarations
from gateway.start_error import StartError

#: Looked for in the working directory, in this order.
FILES = ("main.py", "app.py", "api.py", "app/main.py", "app/app.py", "app/api.py")
_VARIABLE = "app"


class AppNotLoaded(StartError):
    """The app can't be imported, or is not a `Gateway`."""


class PlainGateway(Gateway):
    """The gateway without an app: PocketBase keeps guarding the transforms of the last app."""

    def collect_declarations(self) -> Declarations | None:
        """Return None."""
        return None


def describe_missing_app() -> str:
    """Return a sentence for a command that needs an app where there is none."""
    return (
        f"There is no app in {Path.cwd()} (none of {', '.join(FILES)}): run the command in the"
        " project's folder, or set GATEWAY_APP."
    )


@dataclass(frozen=True, slots=True)
class _Place:
    module: str
    variable: str
    #: The folder for `sys.path`.
    folder: Path
    #: The name in error messages.
    name: str


def has_app(folder: Path) -> bool:
    """Return whether a folder has an app in a file with a usual name."""
    return _find_place(folder) is not None


def load_app(environment: Mapping[str, str] = os.environ, folder: Path | None = None) -> Gateway:
    """Return the team's app; a plain gateway where there is none.

    Args:
        environment: has ``GATEWAY_APP``, as ``module:variable``.
        folder: the app's folder; by default the working directory.

    Raises:
        AppNotLoaded: names what can't be imported, and where.
        InvalidRegistration: a declaration of the app is wrong.
    """
    folder = folder or Path.cwd()
    place = _read_place(environment.get("GATEWAY_APP", ""), folder) or _find_place(folder)
    return _import(place) if place else PlainGateway()


def _read_place(name: str, folder: Path) -> _Place | None:
    if not name:
        return None
    module, _, variable = name.partition(":")
    if not all(part.isidentifier() for part in module.split(".")):
        raise AppNotLoaded(f"GATEWAY_APP is {name!r}, but must be like shop.app:app.")
    return _Place(module, variable or _VARIABLE, folder, f"GATEWAY_APP={name}")


def _find_place(folder: Path) -> _Place | None:
    for name in FILES:
        file = folder / name
        if file.is_file():
            root, parts = file.parent, [file.stem]
            # A folder with __init__.py is a package; its modules import each other through it.
            while (root / "__init__.py").is_file() and root != folder:
                parts.insert(0, root.name)
                root = root.parent
            return _Place(".".join(parts), _VARIABLE, root, name)
    return None


def _import(place: _Place) -> Gateway:
    if str(place.folder) not in sys.path:
        # The `gateway` command has its own folder in sys.path, not the working directory.
        sys.path.insert(0, str(place.folder))
    try:
        module = importlib.import_module(place.module)
    except StartError:
        raise
    except Exception as error:
        raise AppNotLoaded(f"{place.name} can't be imported: {_describe(error)}") from error
    found = getattr(module, place.variable, None)
    if not isinstance(found, Gateway):
        what = f"is of type {type(found).__name__}" if found is not None else "does not exist"
        raise AppNotLoaded(
            f"{place.name}: the variable {place.variable} {what}, but must be a Gateway;"
            " GATEWAY_APP=module:variable names another."
        )
    return found


def _describe(error: Exception) -> str:
    """Return the error with the innermost line of code outside of installed packages."""
    reason = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        return reason
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename) != Path(__file__)
        and not any(part in frame.filename for part in ("site-packages", "<frozen", "importlib"))
    ]
    if not frames:
        return reason
    return f"{reason} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"
