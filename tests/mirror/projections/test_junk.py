"""Projections accept any content of an object, and return rows that PocketBase can store."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mirror.event_change import decide
from gateway.mirror.registry import BY_OBJECT
from gateway.stripe_api.event import parse
from tests.delivery import build_event
from tests.mirror.projections.golden import PAYLOADS
from tests.mirror.projections.junk import JUNK, OBJECTS, Json, spoiled


@settings(max_examples=200, deadline=None)
@given(spoiled(), st.sampled_from(["updated", "created", "deleted"]))
def test_junk_in_an_object(item: Json, verb: str) -> None:
    """It becomes a row, or no row where the id is gone, but never an error."""
    _check(build_event(f"{item['object']}.{verb}", item))


@pytest.mark.parametrize("kind", BY_OBJECT)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_nothing_but_junk(kind: str, data: st.DataObject) -> None:
    """An object of which no member is as it should be becomes a row as well."""
    names = {key for item in OBJECTS if item["object"] == kind for key in item}
    item = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(sorted(names), JUNK)))

    _check(build_event(f"{kind}.updated", item | {"object": kind, "id": "x_1"}))


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda path: Path(path).stem)
def test_nulls_everywhere(payload: Path) -> None:
    """An object with only null members becomes a row without dates."""
    item = json.loads(payload.read_text())["data"]["object"]
    nulls = dict.fromkeys(item) | {key: item[key] for key in ("object", "id") if key in item}

    text = json.dumps(_check(build_event("x.updated", nulls)))

    assert "1970" not in text


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda path: Path(path).stem)
def test_texts_everywhere(payload: Path) -> None:
    """A column of a hash or a list takes no text."""
    item = json.loads(payload.read_text())["data"]["object"]
    names = {key: item[key] for key in ("object", "id", "customer") if key in item}

    usual = _check(build_event("x.updated", item))
    odd = _check(build_event("x.updated", dict.fromkeys(item, "x") | names))

    columns = [name for name in usual or () if isinstance(usual[name], dict | list | None)]
    assert not [name for name in columns if isinstance(odd[name], str)]


def _check(event: Json) -> Any:
    """Plan an event and hold its row against what PocketBase's columns take."""
    planned = decide(parse(json.dumps(event)))
    assert planned.outcome != "failed", planned.error
    if planned.state is None:
        return None
    record = planned.state.row.record
    json.dumps([record, planned.state.version], allow_nan=False)
    assert all(claim.customer and (claim.user or claim.email) for claim in planned.claims)
    return record
