"""PocketBase's hooks: loaded, complete and of this release."""

import hashlib
from collections.abc import Iterator, Mapping

from gateway.doctor.check import CheckResult, check, failed, ok
from gateway.doctor.context import Context
from gateway.doctor.units import format_number
from gateway.health.readiness import NotReady
from gateway.health.version_faults import Fault, Kind, find_faults
from gateway.pocketbase_files import HOOKS
from gateway.vocabulary import HOOKS_VERSION


async def find_fault(context: Context, kind: Kind) -> Fault | None:
    """Return the first fault of one kind in PocketBase's hooks, migrations or names."""
    version = await context.facts.read_version()
    found = find_faults(version, context.clients.pocketbase.collection_names)
    return next((fault for fault in found if fault.kind == kind), None)


@check("hooks.loaded", "PocketBase runs all files of pb_hooks", "pocketbase")
async def check_loaded(context: Context) -> CheckResult:
    """Compare the files that PocketBase has with those of the release."""
    try:
        fault = await find_fault(context, "files")
    except NotReady as error:
        return failed(error.detail, "Point --hooksDir to pb_hooks, and read PocketBase's log.")
    return failed(fault.found, fault.fix) if fault else ok("all hook files are loaded")


@check("hooks.version", "The hooks are of this release", "pocketbase", "hooks")
async def check_version(context: Context) -> CheckResult:
    """Compare the version of the hooks, and each of their files, with the gateway's."""
    fix = "Deploy PocketBase's hooks and the gateway of the same release (docker/upgrade)."
    if fault := await find_fault(context, "version"):
        return failed(fault.found, fix)
    others = sorted(_find_other_files((await context.facts.read_diagnosis()).files))
    if others:
        return failed(
            f"{format_number(len(others), 'hook file')} not as in this release.", fix, *others[:10]
        )
    return ok(f"version {HOOKS_VERSION}")


def _find_other_files(digests: Mapping[str, str]) -> Iterator[str]:
    """Yield files with other content than this package's; an image may have only some of them."""
    for name, digest in digests.items():
        file = HOOKS / name
        if file.is_file():
            text = file.read_bytes().replace(b"\r\n", b"\n")
            if hashlib.sha256(text).hexdigest() != digest:
                yield name
