"""PocketBase's hooks: loaded, complete and of this release."""

from gateway.doctor.check import CheckResult, check, failed, ok
from gateway.doctor.context import Context
from gateway.health.readiness import NotReady
from gateway.health.version_faults import Fault, Kind, find_faults
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
    """Compare the version of the hooks with the gateway's."""
    if fault := await find_fault(context, "version"):
        return failed(
            fault.found,
            "Deploy PocketBase's hooks and the gateway of the same release (docker/upgrade).",
        )
    return ok(f"version {HOOKS_VERSION}")
