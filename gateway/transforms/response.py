"""Serializes transform results for PocketBase."""

import re
from typing import Any

from gateway.exact_numbers import write_exactly
from gateway.json_codec import dump
from gateway.rows import Json
from gateway.transforms.failure import fail

#: As many digits as a number needs to be infinite as a float.
_HUGE = re.compile(rb"\d{309}")
#: As few digits as an integer beyond 2⁵³ has.
_LARGE = re.compile(rb"\d{16}")


def write_results(results: list[Json], items: list[Json]) -> bytes:
    """Return the results as JSON; a result that JSON can't represent becomes ``failed``."""
    try:
        return _dump(results)
    except ValueError:
        pairs = zip(results, items, strict=True)
        return _dump([_keep_writable(result, item) for result, item in pairs])


def _keep_writable(result: Json, item: Json) -> Json:
    try:
        _dump([result])
    except ValueError as error:
        return fail(error, item)
    return result


def _dump(results: list[Json]) -> bytes:
    """Return the results as JSON.

    Raises:
        ValueError: JSON can't represent a value, or PocketBase would read another one.
    """
    answer = dump({"items": results}, errors="strict")
    if _HUGE.search(answer):
        # The digits may be in a string, where they are harmless.
        _refuse_huge(results)
    if _LARGE.search(answer):
        answer = dump({"items": list(map(_write_exactly, results))}, errors="strict")
    return answer


def _write_exactly(result: Json) -> Json:
    """Return a result with large integers as JSON text: the hooks would read them as floats."""
    return {"values": write_exactly(result["values"])} if "values" in result else result


def _refuse_huge(value: Any) -> None:
    """Raise ValueError for integers that are infinite as a float, as PocketBase reads numbers."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            _refuse_huge(each)
    elif isinstance(value, int):
        try:
            float(value)
        except OverflowError:
            raise ValueError("a number is larger than PocketBase can store") from None
