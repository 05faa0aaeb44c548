"""A value in a filter is compared, and never read as a part of the filter."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID

import httpx
import pytest

from gateway.dev.stack import Stack
from gateway.pocketbase import filter
from tests.superuser import open_superuser_client

_TEXTS = [
    "plain",
    "",
    "it's",
    'say "hi"',
    'zz" || id!="',
    "zz' || id!='",
    "zz\\' || id!='",
    "back\\slash",
    "\\'",
    "ends with \\",
    "\\",
    "\\\\",
    "'",
    "{:text}",
    "{:other} // a comment",
    "two\nlines\tand a tab",
    "@now",
    "null",
    "100%",
    "\u00fcmlaut \U0001f600",
    "50% off_now",
    "%",
    "_",
    "\\%",
    "\\_x",
    "a\\\\%b",
    "') || (id != '",
    "\u2028 and \u00a0",
    "/* */ --",
    "?~ && ||",
    "x\x01\x7f",
]


@pytest.fixture(scope="module")
def odd(stack: Stack) -> Iterator[httpx.Client]:
    """A collection with one row per text; the base of the client is its records."""
    collections = f"{stack.pocketbase.url}/api/collections"
    made = {
        "name": "odd_texts",
        "type": "base",
        "fields": [
            {"name": "text", "type": "text"},
            {"name": "number", "type": "number"},
            {"name": "flag", "type": "bool"},
            {"name": "moment", "type": "date"},
        ],
    }
    with open_superuser_client(stack.pocketbase) as client:
        client.post(collections, json=made).raise_for_status()
        client.base_url = httpx.URL(f"{collections}/odd_texts")
        for place, text in enumerate(_TEXTS):
            row = {"text": text, "number": place / 8, "flag": place % 2 == 1}
            moment = f"2026-01-01 00:00:{place:02}.000Z"
            client.post("/records", json=row | {"moment": moment}).raise_for_status()
        yield client
        client.delete(f"{collections}/odd_texts").raise_for_status()


def _find(client: httpx.Client, wanted: str) -> list[Any]:
    answer = client.get("/records", params={"filter": wanted, "perPage": 100, "sort": "number"})
    return [row["text"] for row in answer.raise_for_status().json()["items"]]


@pytest.mark.parametrize("text", _TEXTS)
def test_only_the_row_with_the_value_is_found(odd: httpx.Client, text: str) -> None:
    """Quotes, backslashes, placeholders and operators in a value are its characters."""
    assert _find(odd, filter("text = {:text}", text=text)) == [text]
    assert _find(odd, filter("text = {:text} && id = ''", text=text)) == []
    assert len(_find(odd, filter("text != {:text}", text=text))) == len(_TEXTS) - 1


@pytest.mark.parametrize("text", [text for text in _TEXTS if text])
def test_a_text_is_searched_for_as_it_is(odd: httpx.Client, text: str) -> None:
    """After ~ too, a value's percent signs and underscores match only themselves."""
    found = {each for each in _TEXTS if text.casefold() in each.casefold()}
    assert set(_find(odd, filter("text ~ {:text}", text=text))) == found
    assert set(_find(odd, filter("text !~ {:text}", text=text))) == set(_TEXTS) - found
    assert set(_find(odd, filter("text ?~{:text}", text=text))) == found


def test_wildcards_of_the_expression_stay(odd: httpx.Client) -> None:
    """Only those of values are escaped."""
    assert _find(odd, "text ~ 'pl%n'") == ["plain"]


class _Colour(Enum):
    PLAIN = "plain"


class _Place(IntEnum):
    THIRD = 2


def test_other_types_are_written_as_they_are_stored(odd: httpx.Client) -> None:
    """Dates, decimals, UUIDs and members of enums."""
    assert len(_find(odd, filter("moment > {:d}", d=date(2026, 1, 1)))) == len(_TEXTS) - 1
    assert _find(odd, filter("moment >= {:d}", d=date(2026, 1, 2))) == []
    assert _find(odd, filter("number = {:n}", n=Decimal("0.125"))) == [_TEXTS[1]]
    assert _find(odd, filter("number < {:n}", n=-3)) == []
    assert _find(odd, filter("text = {:c}", c=_Colour.PLAIN)) == ["plain"]
    assert _find(odd, filter("number = {:c}", c=_Place.THIRD)) == [_TEXTS[16]]
    assert filter("x = {:u}", u=UUID(int=1)) == "x = '00000000-0000-0000-0000-000000000001'"


def test_numbers_booleans_and_moments_keep_their_type(odd: httpx.Client) -> None:
    """They are written as PocketBase compares them."""
    assert _find(odd, filter("number < {:n}", n=0.25)) == _TEXTS[:2]
    assert _find(odd, filter("number = {:n}", n=1)) == [_TEXTS[8]]
    assert _find(odd, filter("number < {:n}", n=1e-20)) == _TEXTS[:1]
    assert _find(odd, filter("number > {:n}", n=1e300)) == []
    assert len(_find(odd, filter("flag = {:f}", f=True))) == len(_TEXTS) // 2
    moment = datetime(2026, 1, 1, 0, 0, 2, tzinfo=UTC)
    east = moment.astimezone(timezone(timedelta(hours=2)))
    assert _find(odd, filter("moment < {:m}", m=east)) == _TEXTS[:2]
    assert _find(odd, filter("moment = {:nothing}", nothing=None)) == []


@pytest.mark.parametrize(
    ("expression", "values", "reason"),
    [
        ("text = {:text}", {}, "no value"),
        ("text = {:text}", {"text": "a", "txet": "b"}, "txet"),
        ("text = '{:text}'", {"text": "a"}, "own quotes"),
        ('text ~ "%{:text}%"', {"text": "a"}, "own quotes"),
        ("text = 'it", {}, "not closed"),
        ("number = {:n}", {"n": float("nan")}, "not a number"),
        ("number = {:n}", {"n": float("inf")}, "not a number"),
        ("number = {:n}", {"n": Decimal("NaN")}, "not a number"),
        ("number = {:n}", {"n": 2**53 + 1}, "not exact"),
        ("moment = {:m}", {"m": datetime(2026, 1, 1)}, "time zone"),
        ("text = {:text}", {"text": "\ud800"}, "surrogate"),
        ("text = {:text}", {"text": "a\0b"}, "null character"),
    ],
)
def test_what_a_filter_cannot_say_is_refused(
    expression: str, values: dict[str, Any], reason: str
) -> None:
    """A mistake in the code, or a value without a form in the filter language, is an error."""
    with pytest.raises(ValueError, match=reason):
        filter(expression, **values)


def test_a_value_of_another_type_is_refused() -> None:
    """Its text would be anything."""
    with pytest.raises(TypeError, match="object"):
        filter("text = {:text}", text=object())


def test_a_filter_without_values_is_itself() -> None:
    """Quoted texts with quotes of the other kind and escapes stay as they are."""
    expression = """text = 'a "b" \\\'c' && note = "it's" """
    assert filter(expression) == expression
