"""The table of transforms: one function per collection and operation."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from gateway.start_error import InvalidRegistration
from gateway.transforms.transform import Operation, Transform


@dataclass(frozen=True, slots=True)
class Table:
    """The transforms by collection and operation."""

    transforms: tuple[Transform, ...] = ()

    @classmethod
    def of(cls, transforms: Iterable[Transform]) -> Self:
        """Return the table of an app's transforms.

        Raises:
            InvalidRegistration: two transforms are for the same write.
        """
        table = cls(tuple(transforms))
        table._check()
        return table

    def __iter__(self) -> Iterator[tuple[Operation, Transform]]:
        """Yield each operation with its transform, in the order of the app's code."""
        for transform in self.transforms:
            for operation in sorted(transform.operations):
                yield operation, transform

    def index(self) -> dict[tuple[str, str], Transform]:
        """Return the transforms by collection and operation."""
        return {(transform.collection, operation): transform for operation, transform in self}

    def _check(self) -> None:
        """Raise if two functions are for one write: their order would be arbitrary."""
        seen: dict[tuple[str, str], Transform] = {}
        for operation, transform in self:
            known = seen.setdefault((transform.collection, operation), transform)
            if known is not transform:
                raise InvalidRegistration(
                    f"{transform.source}: {operation} of {transform.collection} has a transform"
                    f" already, at {known.source}"
                )
