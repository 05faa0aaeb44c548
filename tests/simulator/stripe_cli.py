"""Stripe's own command line tool, installed by npm."""

from pathlib import Path

from tests.npm import CACHE, Tool, install_once

VERSION = "1.52.0"
_FOLDER = CACHE / "stripe-cli"


def find_cli(run: str) -> Path:
    """Return the tool's binary, installed on first use.

    Raises:
        ToolUnavailableError: it cannot be had here.
    """
    arguments = ("install", "--no-save", f"--prefix={_FOLDER / VERSION}", f"@stripe/cli@{VERSION}")
    return install_once(Tool("the Stripe CLI", _FOLDER, arguments, _installed), run)


def _installed() -> Path | None:
    folder = _FOLDER / VERSION / "node_modules" / "@stripe"
    return next(folder.glob("cli-*/bin/stripe*"), None)
