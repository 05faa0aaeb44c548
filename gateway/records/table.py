"""The table of transforms: read from the module that the settings name, and checked."""

import importlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from gateway.records.transform import Dependencies, Operation, Transform
from gateway.settings import PocketBaseSettings, SettingsError

_OpenDependencies = Callable[[Dependencies], AbstractAsyncContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """The transforms by collection and operation."""

    transforms: tuple[Transform, ...] = ()
    open_dependencies: _OpenDependencies | None = None

    def __iter__(self) -> Iterator[tuple[Operation, Transform]]:
        """Each operation with its transform, in the order of the module's table."""
        for transform in self.transforms:
            for operation in sorted(transform.operations):
                yield operation, transform

    def index(self) -> dict[tuple[str, str], Transform]:
        """The transforms by collection and operation."""
        return {(transform.collection, operation): transform for operation, transform in self}

    @asynccontextmanager
    async def open(self, dependencies: Dependencies) -> AsyncIterator[Dependencies]:
        """Hold what the module opens for its functions."""
        if self.open_dependencies is None:
            yield dependencies
            return
        async with self.open_dependencies(dependencies) as own:
            yield replace(dependencies, own=own)


def load_table(settings: PocketBaseSettings) -> Table | None:
    """Import the module that GATEWAY_TRANSFORMS names; None when it is not set.

    Raises:
        SettingsError: there is no such module, or its table is wrong.
    """
    name = settings.gateway_transforms
    if not name:
        return None
    # As `python -m` does it; the `gateway` command would only look beside itself.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(name)
        transforms = getattr(module, "TRANSFORMS", None)
        if not isinstance(transforms, tuple | list):
            raise SettingsError("it holds no table `TRANSFORMS: tuple[Transform, ...]`")
        table = Table(tuple(transforms), getattr(module, "open_dependencies", None))
        _check(table)
    except Exception as error:
        reason = (
            f"{error}" if isinstance(error, SettingsError) else f"{type(error).__name__}: {error}"
        )
        raise SettingsError(f"GATEWAY_TRANSFORMS is wrong: {name}: {reason}.") from error
    return table


def _check(table: Table) -> None:
    """One write passes through one function: which of two came first would be anybody's guess."""
    seen = set()
    for transform in table.transforms:
        if not isinstance(transform, Transform):
            raise SettingsError(f"{transform!r} in TRANSFORMS is no Transform")
        for operation in transform.operations:
            if (transform.collection, operation) in seen:
                raise SettingsError(f"TRANSFORMS has two for {operation} of {transform.collection}")
            seen.add((transform.collection, operation))
