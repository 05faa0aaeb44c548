"""A request that looks as usual is read the short way, any other by FastAPI: nobody can tell."""

import json
from secrets import token_hex

import pytest

from tests.frontend import User
from tests.problem import read_problem
from tests.shop import Shop, build_order

_USUAL = "application/json"
_UNUSUAL = "application/json; charset=utf-8"


@pytest.mark.parametrize("price", ["lifetime", "pro_monthly"])
async def test_both_ways_lead_to_one_purchase(price: str, user: User, shop: Shop) -> None:
    """One Idempotency-Key, sent by either way, is one session, in one answer byte for byte."""
    headers = user.bearer | {"Idempotency-Key": token_hex(8)}
    answers = [
        await shop.http.post(
            f"{shop.url}/checkout",
            content=json.dumps(build_order(price)),
            headers=headers | {"Content-Type": kind},
        )
        for kind in (_USUAL, _UNUSUAL, _USUAL)
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
async def test_what_is_wrong_is_wrong_either_way(
    headers: dict[str, str], status: int, user: User, shop: Shop
) -> None:
    """A token or a key that is no good is the same problem by both ways."""
    problems = [
        read_problem(
            await shop.http.post(
                f"{shop.url}/checkout",
                content=json.dumps(build_order("lifetime")),
                headers=user.bearer | headers | {"Content-Type": kind},
            ),
            status,
        )
        for kind in (_USUAL, _UNUSUAL)
    ]
    assert problems[0] == problems[1]
