"""All checks, and the choice of some by id or group."""

from collections.abc import Collection, Iterable

from gateway.doctor import checks
from gateway.doctor.check import CHECKS, Check

__all__ = ["CHECKS", "checks", "select_checks"]


def select_checks(known: Iterable[Check], wanted: Collection[str]) -> list[Check]:
    """Return the checks with these ids or groups, all if none is wanted.

    Raises:
        KeyError: there is no such check.
    """
    every = list(known)
    for name in wanted:
        if not any(name in (each.id, each.group) for each in every):
            raise KeyError(name)
    return [each for each in every if not wanted or {each.id, each.group} & {*wanted}]
