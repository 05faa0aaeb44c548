"""A transform that lets everything pass changes nothing, whatever comes."""

import json
from typing import Any

import httpx
import pytest

from tests.hostile.conftest import CHANGED, ELSEWHERE, WITH, WITHOUT

_OWN = ("id", "collectionId", "collectionName", "autodate", "sent")
_DEEP = json.loads("[" * 60 + "]" * 60)
_FIELDS: dict[str, list[Any]] = {
    "text": [
        "",
        "a",
        " \t\n",
        "\u0000",
        "ü😀\u202e",
        "\ud83d\ude00",
        5,
        True,
        None,
        ["a"],
        {"a": 1},
    ],
    "editor": ["<p>x</p>", "<script>", 1, None, [1]],
    "number": [
        0,
        -0.0,
        1.5,
        1e308,
        5e-324,
        2**53 + 1,
        "7",
        "NaN",
        "-Infinity",
        "1e400",
        True,
        [],
        {},
    ],
    "bool": [True, False, "true", "0", 1, None, [], "yes"],
    "email": ["a@example.com", "not one", "ü@exämple.com", 5, None],
    "url": ["https://example.com/ü?q=1#f", "javascript:alert(1)", "//x", 5],
    "date": [
        "2026-11-23",
        "2026-11-23 12:00:00.123Z",
        "yesterday",
        "",
        0,
        1700000000,
        None,
        "9999-99-99",
    ],
    "autodate": ["2001-01-01 00:00:00Z", None],
    "select": ["a", "c", "", None, ["a"], ["a", "b"], {"a": 1}],
    "selects": [["a", "b"], ["b", "a", "b"], "a", ["c"], ["a", None], [], None],
    "relation": ["", "missing00000000", ["missing00000000"], 5, None],
    "relations": [[], ["missing00000000", "missing00000000"], "x", None],
    "json": [
        None,
        "",
        "text",
        "{",
        0,
        1e308,
        [],
        {},
        _DEEP,
        {"__proto__": {"a": 1}},
        "\u2028",
        "\u0000",
        "a\u007f",
        {"": ""},
    ],
    "geo": [{"lon": 13.4, "lat": 52.5}, {"lon": 500, "lat": 0}, {"lon": "NaN"}, "x", [1, 2], None],
    "password": ["correct-horse", "", None, 5],
    "file": ["name.txt", "", None, ["a"]],
    "files": [["a.txt"], "", []],
    "id": ["abcdefghijklmno", "short", "", None, 5, "../../../../etc"],
    "__proto__": [1, {"text": "polluted"}],
    "constructor": [1, {"prototype": {"text": "polluted"}}],
    "unknown": [1, "x", {"text": "x"}],
    "text+": ["a", None],
    "number+": [1, "NaN", "x"],
    "selects+": ["a", ["a", "b"], {}],
    "+selects": ["b"],
    "json.a": [1],
    "@request": [1],
}


def _cases() -> list[Any]:
    return [
        pytest.param(name, value, id=f"{name}-{number}")
        for name, values in _FIELDS.items()
        for number, value in enumerate(values)
    ]


def _strip(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in _OWN}


async def _send(api: httpx.AsyncClient, collection: str, body: bytes) -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return await api.post(f"/{collection}/records", content=body, headers=headers)


@pytest.mark.parametrize(("name", "value"), _cases())
async def test_it_is_stored_as_without_a_transform(
    api: httpx.AsyncClient, name: str, value: Any
) -> None:
    """Of each field type, each value gives the same answer, and leaves the same record."""
    body = json.dumps({"text": "beside", name: value} if name != "text" else {name: value}).encode()
    plain, passed = [await _send(api, each, body) for each in (WITHOUT, WITH)]
    assert passed.status_code == plain.status_code, passed.text
    if plain.status_code != 200:
        assert passed.json() == plain.json()
        return
    made = passed.json()
    assert _strip(made) == _strip(plain.json())
    stored = (await api.get(f"/{WITH}/records/{made['id']}")).json()
    assert _strip(stored) == _strip(made)
    for each, record in ((WITH, made), (WITHOUT, plain.json())):
        await api.delete(f"/{each}/records/{record['id']}")


@pytest.mark.parametrize(("name", "value"), _cases())
async def test_it_is_changed_as_without_a_transform(
    api: httpx.AsyncClient, name: str, value: Any
) -> None:
    """An update of one field gives the same answer, leaves the same record, and no other field."""
    before = {"text": "b", "number": 7, "selects": ["a"], "json": {"a": [1]}, "bool": True}
    before |= {"date": "2026-11-23 12:00:00.000Z", "geo": {"lon": 1, "lat": 2}, "select": "b"}
    answers = []
    for collection in (WITHOUT, CHANGED):
        path = f"/{collection}/records"
        made = (await api.post(path, json=before)).json()
        body = json.dumps({name: value}).encode()
        headers = {"Content-Type": "application/json"}
        answers.append(await api.patch(f"{path}/{made['id']}", content=body, headers=headers))
        answers.append(await api.get(f"{path}/{made['id']}"))
    plain, plain_stored, passed, passed_stored = answers
    assert passed.status_code == plain.status_code, passed.text
    assert _strip(passed_stored.json()) == _strip(plain_stored.json())
    assert _strip(passed.json()) == _strip(plain.json())


@pytest.mark.parametrize("name", ["selects+", "+selects", "selects-", "number+"])
async def test_a_modified_field_counts_as_sent(api: httpx.AsyncClient, name: str) -> None:
    """A modifier names its field."""
    path = f"/{CHANGED}/records"
    made = (await api.post(path, json={"text": "a"})).json()
    value = 1 if name == "number+" else "a"
    changed = (await api.patch(f"{path}/{made['id']}", json={name: value})).json()
    assert changed["sent"] == [name.strip("+-")]


@pytest.mark.parametrize(
    "name", ["__proto__", "constructor", "hasOwnProperty", "toString", "unknown", "collectionName"]
)
async def test_what_is_no_field_does_not_count_as_sent(api: httpx.AsyncClient, name: str) -> None:
    """A transform is told of fields only, whatever JavaScript makes of a name."""
    made = (await _send(api, WITH, json.dumps({"text": "a", name: 1}).encode())).json()
    assert made["sent"] == ["text"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'"text"', b"NaN", b'{"number": NaN}', b'{"text": "\xff"}'],
    ids=repr,
)
async def test_what_is_no_object_is_answered_as_without_a_transform(
    api: httpx.AsyncClient, body: bytes
) -> None:
    """PocketBase's validation of a body is unchanged."""
    plain, passed = [await _send(api, each, body) for each in (WITHOUT, WITH)]
    assert passed.status_code == plain.status_code
    if plain.status_code != 200:
        assert passed.json() == plain.json()


@pytest.mark.parametrize(
    "body",
    [
        b'{"json": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"text": "a", "json": "' + b"x" * 10_000_000 + b'"}',
        b'{"text": "' + b"x" * 10_000_000 + b'"}',
        b'{"unknown": "' + b"x" * 10_000_000 + b'"}',
        b"{" + b",".join(b'"k%d": 1' % number for number in range(100_000)) + b"}",
    ],
    ids=["deep", "large-json", "large-text", "large-unknown", "many-names"],
)
async def test_too_much_is_refused_and_harms_nobody(api: httpx.AsyncClient, body: bytes) -> None:
    """A too large or too deep value is refused or ignored, and the next write succeeds."""
    assert (await _send(api, WITH, body)).status_code in (200, 400, 413)
    for collection in (WITH, ELSEWHERE):
        assert (await _send(api, collection, b'{"text": "a"}')).status_code == 200


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"text": 5}, {}),
        ({"text": ["a"]}, {}),
        ({"text": "a", "number": "x"}, {}),
        ({"number": 1}, {"text"}),
        ({"text": "a", "number": "7"}, {}),
        ({"text": None}, {}),
    ],
)
async def test_a_model_sees_the_types_that_pocketbase_makes(
    api: httpx.AsyncClient, body: Any, wrong: set[str]
) -> None:
    """PocketBase casts what it can before a model judges; what is empty then is missing."""
    answer = await _send(api, "strict", json.dumps(body).encode())
    assert set(answer.json().get("data", {})) == set(wrong), answer.text


_RETURNED: list[tuple[str, Any, Any]] = [
    ("text", "ü😀", "ü😀"),
    ("editor", "<b>x</b>", "<b>x</b>"),
    ("number", 1.5, 1.5),
    ("bool", True, True),
    ("email", "a@example.com", "a@example.com"),
    ("url", "https://example.com", "https://example.com"),
    ("date", "2026-11-23T12:00:00Z", "2026-11-23 12:00:00.000Z"),
    ("select", "a", "a"),
    ("selects", ["b", "a"], ["b", "a"]),
    ("json", {"__proto__": [1, None, {"a": 1.5}]}, {"__proto__": [1, None, {"a": 1.5}]}),
    ("geo", {"lon": 13.4, "lat": 52.5}, {"lon": 13.4, "lat": 52.5}),
    ("relations", [], []),
    ("text", None, ""),
    ("number", None, 0),
]


@pytest.mark.parametrize(("name", "value", "stored"), _RETURNED)
async def test_a_transform_may_return_any_type(
    api: httpx.AsyncClient, name: str, value: Any, stored: Any
) -> None:
    """A transform's value of a field is stored in PocketBase's format."""
    made = (await _send(api, WITH, b'{"text": "a"}')).json()
    path = f"/{WITH}/records/{made['id']}"
    answer = await api.patch(path, json={"json": {name: value}})
    assert answer.status_code == 200, answer.text
    assert (await api.get(path)).json()[name] == stored


@pytest.mark.parametrize(
    "returned",
    [
        {"unknown": 1},
        {"constructor": 1},
        {"__proto__": 1},
        {"id": "abcdefghijklmno"},
        {"autodate": "2001-01-01"},
        {"password": "correct-horse"},
        {"file": "other.txt"},
        {"collectionName": "users"},
    ],
    ids=str,
)
async def test_what_a_transform_may_not_set_is_our_mistake(
    api: httpx.AsyncClient, returned: Any
) -> None:
    """A transform that returns what can't be set ends in a 500 that says nothing, and no change."""
    made = (await _send(api, WITH, b'{"text": "a"}')).json()
    path = f"/{WITH}/records/{made['id']}"
    answer = await api.patch(path, json={"json": returned})
    assert answer.status_code == 500, answer.text
    assert next(iter(returned)) not in answer.text
    assert (await api.get(path)).json() == {**made, "sent": made["sent"]}
