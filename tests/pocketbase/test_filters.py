"""A value in a filter is compared, and never read as a part of the filter."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from gateway.pocketbase import filter
from stack.stack import Stack

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
]


@pytest.fixture(scope="module")
def odd(stack: Stack, superuser_token: str) -> Iterator[httpx.Client]:
    """A collection with one row per text; the base of the client is its records."""
    root = {"Authorization": superuser_token}
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
    with httpx.Client(headers=root, trust_env=False) as client:
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
        ("moment = {:m}", {"m": datetime(2026, 1, 1)}, "time zone"),
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
