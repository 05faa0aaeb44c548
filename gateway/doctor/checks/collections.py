"""PocketBase's collections: migrations, names, columns, API rules."""

from collections.abc import Callable, Iterator, Sequence

from gateway.doctor.check import CheckResult, check, failed, ok, warning
from gateway.doctor.checks.hooks import find_fault
from gateway.doctor.context import Context
from gateway.pocketbase.contracts.diagnosis import CollectionAccess, CollectionComparison
from gateway.vocabulary import MIGRATIONS

_RESTORE = (
    "Restore it in PocketBase's dashboard (API rules, or the column's options); for an intended"
    " change, write a migration."
)


@check("collections.migrations", "All migrations are applied", "pocketbase", "hooks")
async def check_migrations(context: Context) -> CheckResult:
    """Compare the applied migrations with those of the release."""
    if fault := await find_fault(context, "migrations"):
        return failed(fault.found, "Correct --migrationsDir and restart PocketBase.")
    return ok(f"{len(MIGRATIONS)} migrations of this release are applied")


@check("collections.names", "Gateway and PocketBase use the same names", "pocketbase", "hooks")
async def check_names(context: Context) -> CheckResult:
    """Compare the settings of collections' names with the database."""
    if fault := await find_fault(context, "names"):
        fix = "Set GATEWAY_COLLECTION_PREFIX, GATEWAY_INTERNAL_COLLECTION_PREFIX and"
        return failed(fault.found, fault.fix or f"{fix} GATEWAY_AUTH_COLLECTION equally in both.")
    return ok("the names of collections agree")


@check("collections.columns", "No column that hooks read is missing", "pocketbase", "hooks")
async def check_columns(context: Context) -> CheckResult:
    """Compare the gateway's collections and columns with those of its migrations."""
    if fault := await find_fault(context, "columns"):
        return failed(fault.found, fault.fix)
    return ok("all collections and columns of the gateway exist")


@check("collections.rules", "API rules are those of the migrations", "pocketbase", "hooks")
async def check_rules(context: Context) -> CheckResult:
    """Compare rules, hidden columns and views with those that the last migration set."""
    compared = (await context.facts.read_diagnosis()).collections
    differences = [text for each in compared for text in describe_differences(each)]
    if differences:
        return _report(failed, differences, _RESTORE)
    former = [text for each in compared for text in describe_former(each)]
    if former:
        return _report(warning, former, _RESTORE)
    unknown = [each.name for each in compared if each.expected is None]
    note = f"; not made by a migration, so not compared: {', '.join(unknown)}" if unknown else ""
    return ok(f"{len(compared) - len(unknown)} collections are as migrations set them{note}")


def _report(
    report: Callable[..., CheckResult], differences: Sequence[str], fix: str
) -> CheckResult:
    if len(differences) == 1:
        return report(f"{differences[0]}.", fix)
    return report(f"{len(differences)} rules differ from the migrations.", fix, *differences)


def describe_differences(compared: CollectionComparison) -> list[str]:
    """Return one text per rule, column or view that differs from its migrations."""
    if compared.expected is None:
        return []
    name, found, expected = compared.name, compared.found, compared.expected
    if compared.released is None:
        return list(_compare(name, found, expected))
    # A rule may be as the release set it, or still as it was when rules were first stored.
    former = [*_compare(name, expected, compared.released)]
    return [text for text in _compare(name, found, compared.released) if text not in former]


def describe_former(compared: CollectionComparison) -> list[str]:
    """Return one text per difference of the time before rules were stored."""
    if compared.released is None:
        return []
    return list(_compare(compared.name, compared.found, compared.released))


def _compare(name: str, found: CollectionAccess, expected: CollectionAccess) -> Iterator[str]:
    for rule in sorted({*found.rules, *expected.rules}):
        is_now, was = found.rules.get(rule), expected.rules.get(rule)
        if is_now != was:
            yield f"{name}.{rule} is {_quote(is_now)}, migrations set {_quote(was)}"
    yield from _describe_columns(name, found, expected)
    if found.query != expected.query:
        yield f"{name} is a view with another query than its migration set"


def _describe_columns(
    name: str, found: CollectionAccess, expected: CollectionAccess
) -> Iterator[str]:
    for column in sorted({*found.hidden} ^ {*expected.hidden}):
        state = "hidden" if column in found.hidden else "not hidden"
        yield f"{name}.{column} is {state}, unlike in the migrations"
    for column in sorted({*found.protected} ^ {*expected.protected}):
        state = "protected" if column in found.protected else "not protected"
        yield f"{name}.{column} has files that are {state}, unlike in the migrations"


def _quote(rule: str | None) -> str:
    if rule is None:
        return "closed (superusers only)"
    return f"`{rule}`" if rule else "public (everyone)"
