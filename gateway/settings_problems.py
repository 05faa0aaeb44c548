"""Describes invalid, missing and misspelt settings: one sentence each, never with a value."""

import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.hook_settings import HOOK_VARIABLES

#: Variables that Kubernetes and Docker set for a service named "gateway".
_SET_BY_ORCHESTRATOR = re.compile(r"GATEWAY_(SERVICE|PORT|NAME|ENV)(_|$)")
#: Prefixes that other programs use too.
_SHARED_PREFIXES = ("POCKETBASE_", "STRIPE_")
#: Similarity of two names (0 to 1) from which one is suggested for the other.
_SUGGESTION_RATIO = 0.8
#: Similarity from which a name is a misspelling, not another program's variable.
_MISSPELT_RATIO = 0.9


def find_variables(secrets_dir: Path) -> set[str]:
    """Return the environment variables and secret files that have a value."""
    names = {name.upper() for name, text in os.environ.items() if text}
    if secrets_dir.is_dir():
        # A folder that is closed to this user is reported by `describe_unreadable`.
        with suppress(PermissionError):
            names |= {file.name.upper() for file in secrets_dir.iterdir()}
    return names


def describe_unreadable(secrets_dir: Path, fields: Collection[str]) -> Iterator[str]:
    """Describe secret files that can't be read, for which pydantic has a traceback alone.

    Args:
        fields: the fields of the settings; other files are not looked at.
    """
    try:
        files = sorted(secrets_dir.iterdir()) if secrets_dir.is_dir() else []
    except PermissionError:
        yield f"User {os.getuid()} can't read the folder {secrets_dir}: set its mode to 0755."
        return
    for file in files:
        if file.name.lower() in fields and (reason := _find_unreadable(file)):
            yield f"{file.name.upper()} can't be read: {reason}"


def _find_unreadable(file: Path) -> str:
    """Return a sentence on why a file has no text, "" if it has."""
    if file.is_dir():
        return f"{file} is a folder, which compose creates if the file of the secret is missing."
    try:
        file.read_text()
    except UnicodeDecodeError:
        return f"{file} is not text."
    except OSError as error:
        return f"{file}: {error.strerror}; user {os.getuid()} needs a file with the mode 0444."
    return ""


def describe_unknown(
    names: set[str], fields: Collection[str], *, is_own_file: bool = False
) -> Iterator[str]:
    """Describe misspelt variables, which would leave their settings at the defaults.

    Args:
        names: the variables that have a value.
        fields: the fields of the settings.
        is_own_file: whether the names are those of a `.env`, which has few variables of other
            programs: then misspellings are looked for in all names.
    """
    # `make run` also passes the variables of the hooks to the gateway.
    known = {field.upper() for field in fields} | set(HOOK_VARIABLES)
    for name in sorted(names - known):
        if name.startswith("GATEWAY_") and not _SET_BY_ORCHESTRATOR.match(name):
            close = get_close_matches(name, known, 1, _SUGGESTION_RATIO)
            hint = f"did you mean {close[0]}?" if close else ".env.example lists all settings."
            yield f"{name} is not a setting: {hint}"
        # Other programs use these prefixes too, so only likely misspellings are reported.
        elif (is_own_file or name.startswith(_SHARED_PREFIXES)) and (
            close := get_close_matches(name, known - names, 1, _MISSPELT_RATIO)
        ):
            yield f"{name} is not a setting: did you mean {close[0]}?"


def describe_invalid(error: ValidationError) -> Iterator[str]:
    """Describe pydantic's errors."""
    for item in error.errors():
        yield _describe(item)


def _describe(item: ErrorDetails) -> str:
    reason = item["msg"].removeprefix("Value error, ")
    if not item["loc"]:
        return f"{reason}."
    variable = str(item["loc"][0]).upper()
    if item["type"] == "missing" or item["input"] == ():
        return f"{variable} is not set."
    if item["type"] == "too_short" and isinstance(item["input"], str):
        # pydantic counts the items of a secret.
        reason = f"it must have at least {item['ctx']['min_length']} characters"
    return f"{variable} is wrong: {reason}."
