"""Verdicts as the JSON of an answer to PocketBase."""

import json
import math
import re

from pydantic_core import to_json

from gateway.records.failure import fail
from gateway.writes import Json

#: Values without a JSON number, and numbers that PocketBase reads as infinite.
_SUSPICIOUS = re.compile(rb"NaN|Infinity|\d{309}")


def write_verdicts(verdicts: list[Json], items: list[Json]) -> bytes:
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
    answer = to_json({"items": verdicts}, inf_nan_mode="constants")
    if _SUSPICIOUS.search(answer):
        # In text these are harmless; numbers are not finite, or not to PocketBase.
        json.loads(answer, parse_constant=_refuse_number, parse_int=_parse_int)
    return answer


def _parse_int(digits: str) -> float:
    if math.isinf(float(digits)):
        _refuse_number(digits)
    return 0.0


def _refuse_number(name: str) -> None:
    raise ValueError(f"{name[:20]} is not a number that PocketBase can store")
