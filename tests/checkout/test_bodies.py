"""Bodies of /checkout: the parameters of their content type change nothing, odd ones get 400."""

import json
from secrets import token_hex

import pytest

from tests.frontend import User
from tests.problem import read_problem
from tests.shop import Shop, build_order

_PLAIN = "application/json"
_WITH_CHARSET = "application/json; charset=utf-8"


@pytest.mark.parametrize("price", ["lifetime", "pro_monthly"])
async def test_a_repeated_order_gets_the_same_answer(price: str, user: User, shop: Shop) -> None:
    """One Idempotency-Key is one session, in one answer byte for byte."""
    headers = user.bearer | {"Idempotency-Key": token_hex(8)}
    answers = [
        await shop.http.post(
            f"{shop.url}/checkout",
            content=json.dumps(build_order(price)),
            headers=headers | {"Content-Type": kind},
        )
        for kind in (_PLAIN, _WITH_CHARSET, _PLAIN)
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer not.a.token"}, 401),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, 401),
        ({"Authorization": "Bearer a b"}, 401),
        ({"Idempotency-Key": "k" * 256}, 400),
    ],
    ids=["no token of ours", "another scheme", "with a space", "too long a key"],
)
async def test_a_wrong_header_is_refused_alike(
    headers: dict[str, str], status: int, user: User, shop: Shop
) -> None:
    """A malformed token or key gets the same problem document with either content type."""
    problems = [
        read_problem(
            await shop.http.post(
                f"{shop.url}/checkout",
                content=json.dumps(build_order("lifetime")),
                headers=user.bearer | headers | {"Content-Type": kind},
            ),
            status,
        )
        for kind in (_PLAIN, _WITH_CHARSET)
    ]
    assert problems[0] == problems[1]


_GOOD = json.dumps(build_order("lifetime"))
_ODD = {
    "UTF-16": _GOOD.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + _GOOD.encode(),
    "no UTF-8": _GOOD.replace("lifetime", "ü").encode("latin-1"),
    "half a pair of surrogates": _GOOD.replace("lifetime", "\\ud800").encode(),
    "a name twice": _GOOD.replace('"price"', '"price": "pro_monthly", "price"').encode(),
    "a name twice, wrong at last": _GOOD.replace(
        '"quantity": 1', '"quantity": 1, "quantity": 0'
    ).encode(),
    "a fraction": _GOOD.replace('"quantity": 1', '"quantity": 1.0').encode(),
    "no number": _GOOD.replace('"quantity": 1', '"quantity": NaN').encode(),
    "a number as text": _GOOD.replace('"quantity": 1', '"quantity": "1"').encode(),
    "a field more": _GOOD.replace("{", '{"amount": 1, ', 1).encode(),
    "a list": b"[%b]" % _GOOD.encode(),
    "two": _GOOD.encode() * 2,
    "half": _GOOD[:-9].encode(),
    "nothing": b"",
    "deep": b"[" * 30_000,
}


@pytest.mark.parametrize("name", _ODD)
async def test_an_odd_body_is_read_alike(name: str, user: User, shop: Shop) -> None:
    """The answer does not depend on the charset parameter; a refusal is a problem document."""
    answers = [
        await shop.http.post(
            f"{shop.url}/checkout",
            content=_ODD[name],
            headers=user.bearer | {"Content-Type": kind, "Idempotency-Key": "odd"},
        )
        for kind in (_PLAIN, _WITH_CHARSET)
    ]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].json() == answers[1].json()
    if answers[0].status_code != 200:
        read_problem(answers[0], 400)
