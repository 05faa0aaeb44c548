"""The team's app: it can be loaded, and PocketBase's collections fit its declarations."""

from gateway.app.start_checks import (
    require_columns,
    require_effects,
    require_mirrors,
    require_transforms,
)
from gateway.doctor.check import CheckResult, check, failed, ok
from gateway.doctor.context import Context
from gateway.start_error import StartError
from gateway.transforms.table import Table


@check("app.loaded", "The app can be loaded", "this machine")
async def check_loaded(context: Context) -> CheckResult:
    """Show why the app can't be imported."""
    if problem := context.given.app_problem:
        return failed(problem, "Correct the app, or GATEWAY_APP.")
    return ok("the app is loaded")


@check("app.declarations", "Collections fit the app's declarations", "pocketbase", "this machine")
async def check_declarations(context: Context) -> CheckResult:
    """Run the checks of a gateway's start."""
    declared, pocketbase = context.given.declarations, context.clients.pocketbase
    try:
        await require_mirrors(pocketbase, declared.mirrors)
        await require_columns(pocketbase, declared.columns)
        await require_transforms(pocketbase, Table.of(declared.transforms))
        await require_effects(pocketbase, declared.effects)
    except StartError as error:
        return failed(f"{error}.", "Add a migration, or correct the declaration.")
    return ok("collections fit the app's declarations")
