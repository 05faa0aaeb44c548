"""How PocketBase's hooks, migrations and collections differ from those this gateway needs. Pure."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Literal

from gateway.pocketbase.contracts.health import VersionAnswer
from gateway.vocabulary import HOOKS_VERSION, MIGRATIONS, CollectionNames

Kind = Literal["files", "version", "names", "migrations", "columns"]

#: The setting of each field of CollectionNames.
_NAME_SETTINGS = {
    "prefix": "GATEWAY_COLLECTION_PREFIX",
    "internal_prefix": "GATEWAY_INTERNAL_COLLECTION_PREFIX",
    "auth": "GATEWAY_AUTH_COLLECTION",
}
#: Missing files, collections and columns that a sentence names.
_MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """One difference, and how to correct it."""

    kind: Kind
    #: One sentence.
    found: str
    #: One sentence; "" if it follows from ``found``.
    fix: str

    @property
    def sentence(self) -> str:
        """Both as one text."""
        return f"{self.found} {self.fix}".strip()


def find_faults(version: VersionAnswer, names: CollectionNames) -> Iterator[Fault]:
    """Yield all differences, the one to correct first at the beginning.

    Args:
        names: the collections' names in this process.
    """
    if version.files:
        # The other facts are unknown then.
        yield Fault(
            "files",
            f"PocketBase's hooks are incomplete: {'; '.join(version.files[:_MAX_NAMED])}.",
            "Deploy the whole folder pb_hooks and restart PocketBase.",
        )
        return
    yield from chain(
        _find_other_version(version),
        find_other_names(version, names),
        _find_missing_migrations(version),
        _find_misnamed(version),
        _find_missing_columns(version),
    )


def find_other_names(version: VersionAnswer, names: CollectionNames) -> Iterator[Fault]:
    """Yield a fault if PocketBase uses other collection names than this process."""
    if not version.names:
        return
    theirs, ours = version.names.model_dump(), asdict(names)
    differing = [
        f'{variable} is "{theirs[name]}" in PocketBase\'s environment and "{ours[name]}" in the'
        " gateway's"
        for name, variable in _NAME_SETTINGS.items()
        if theirs[name] != ours[name]
    ]
    if differing:
        yield Fault("names", f"{'; '.join(differing)}: set the same value for both.", "")


def _find_other_version(version: VersionAnswer) -> Iterator[Fault]:
    if version.hooks != HOOKS_VERSION:
        yield Fault(
            "version",
            f"PocketBase has version {version.hooks} of the hooks, {HOOKS_VERSION} is required"
            " (docs/upgrading.md).",
            "",
        )


def _find_missing_migrations(version: VersionAnswer) -> Iterator[Fault]:
    missing = [name for name in MIGRATIONS if name not in version.migrations]
    if missing:
        yield Fault("migrations", f"PocketBase lacks the migrations {', '.join(missing)}.", "")


def _find_misnamed(version: VersionAnswer) -> Iterator[Fault]:
    if version.misnamed:
        yield Fault(
            "names",
            f"{'; '.join(version.misnamed[:_MAX_NAMED])}.",
            "Names can't be changed after the first start: restore the setting, or the name of the"
            " auth collection (docs/mirror.md).",
        )


def _find_missing_columns(version: VersionAnswer) -> Iterator[Fault]:
    if version.missing:
        yield Fault(
            "columns",
            f"PocketBase's collections were changed: {'; '.join(version.missing[:_MAX_NAMED])}.",
            "Restore a backup, or rename them back (docs/operations.md).",
        )
