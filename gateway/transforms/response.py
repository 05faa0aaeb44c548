"""Verdicts as the JSON of an answer to PocketBase."""

import re
from typing import Any

from gateway.json_codec import dump
from gateway.rows import Json
from gateway.transforms.failure import fail

#: Digits of a number that may be infinite to PocketBase.
_HUGE = re.compile(rb"\d{309}")


def write_results(verdicts: list[Json], items: list[Json]) -> bytes:
    """Return the verdicts as JSON; one that JSON can't have fails alone, as its author's error."""
    try:
        return _dump(verdicts)
    except ValueError:
        pairs = zip(verdicts, items, strict=True)
        return _dump([_keep_writable(verdict, item) for verdict, item in pairs])


def _keep_writable(verdict: Json, item: Json) -> Json:
    try:
        _dump([verdict])
    except ValueError as error:
        return fail(error, item)
    return verdict


def _dump(verdicts: list[Json]) -> bytes:
    """Raise ValueError for values that JSON lacks, or that PocketBase would read as another."""
    answer = dump({"items": verdicts}, errors="strict")
    if _HUGE.search(answer):
        # In a text so many digits are harmless.
        _refuse_huge(verdicts)
    return answer


def _refuse_huge(value: Any) -> None:
    """PocketBase reads every number as a float."""
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
