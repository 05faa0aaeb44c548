"""JSON is written and read by one module, whatever JSON can have."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from gateway.json_codec import dump, dump_parsed, dump_sorted, dump_text, load
from tests.mirror.projections.junk import JUNK


def _parse_int(digits: str) -> float:
    return int(digits) if -(2**63) <= int(digits) < 2**64 else float(digits)


@given(JUNK)
def test_every_value_comes_back(value: Any) -> None:
    """Each layout reads back the written value."""
    text = dump(value)
    found = load(text, is_exact=True)
    assert found == json.loads(text)
    for layout in (dump_text(value), dump_text(value, is_indented=True), dump_parsed(found)):
        assert load(layout, is_exact=True) == found
    assert load(text) == json.loads(text, parse_int=_parse_int)


def test_the_layout_is_dense() -> None:
    """Without spaces, in UTF-8; sorted for digests, with lines for people."""
    value = {"b": ["ü", None], "a": 1.0}
    assert dump(value) == '{"b":["ü",null],"a":1.0}'.encode()
    assert dump_sorted(value) == '{"a":1.0,"b":["ü",null]}'
    assert dump_text(value, is_indented=True).splitlines()[1] == '  "b": ['


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**70), 10**40])
def test_large_integers_are_written_whole(number: int) -> None:
    """Integers of more than 64 bits keep every digit."""
    assert dump({"n": number}) == f'{{"n":{number}}}'.encode()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("wrap", [lambda n: n, lambda n: [1, {"a": [n]}], lambda n: {"a": (n, 0)}])
def test_a_number_without_a_form_is_refused(number: float, wrap: Any) -> None:
    """It is never written as null."""
    with pytest.raises(ValueError, match="JSON can't represent"):
        dump(wrap(number))


def test_half_a_character() -> None:
    """It is replaced, or an error where the caller says so; reading keeps it."""
    assert dump("a\ud83d") == b'"a?"'
    with pytest.raises(ValueError, match="surrogates"):
        dump("a\ud83d", errors="strict")
    assert load('"a\\ud83d"') == "a\ud83d"


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "[Infinity]", "{'a': 1}", "[" * 100_000, "\ufeff1"]
)
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    """Every invalid text raises the same error."""
    with pytest.raises(ValueError, match=r"\w"):
        load(text)


def test_dates_are_not_written_by_the_way() -> None:
    """A datetime has a form of PocketBase's, which is not JSON's to choose."""
    with pytest.raises(TypeError):
        dump(datetime(2026, 1, 1, tzinfo=UTC))
