"""A browser lets only the frontends' own pages call: CORS."""

import pytest

from tests.frontend import User
from tests.shop import CANCEL, ORIGIN, Shop, build_order

_PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
_FOREIGN = [
    "http://localhost:3001",
    "https://localhost:3000",
    "http://localhost:3000.evil.com",
    "http://evil.com",
    "null",
    "http://localhost",
]


async def test_an_allowed_page_may_call(user: User, shop: Shop) -> None:
    """The preflight allows POST with a token, and the answer may be read by the page."""
    preflight = await shop.http.options(
        f"{shop.url}/checkout", headers=_PREFLIGHT | {"Origin": ORIGIN}
    )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in preflight.headers["access-control-allow-methods"]
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert "authorization" in allowed
    assert "content-type" in allowed
    assert "origin" in preflight.headers["vary"].lower()

    answer = await shop.http.post(
        f"{shop.url}/checkout",
        json=build_order("pro_monthly"),
        headers=user.bearer | {"Origin": ORIGIN},
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/checkout", {}, 400),
        ("/checkout", build_order("price_unknown"), 400),
        ("/portal", {"return_url": CANCEL}, 404),
        ("/nowhere", {}, 404),
    ],
)
async def test_an_allowed_page_can_read_why_it_was_refused(
    path: str, body: dict[str, str], status: int, visitor: User, shop: Shop
) -> None:
    """Problem documents carry the CORS headers too."""
    headers = visitor.bearer | {"Origin": ORIGIN}
    answer = await shop.http.post(shop.url + path, json=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("origin", _FOREIGN)
async def test_a_foreign_page_gets_no_leave(origin: str, shop: Shop) -> None:
    """Neither the preflight nor the answer allows another origin."""
    preflight = await shop.http.options(
        f"{shop.url}/checkout", headers=_PREFLIGHT | {"Origin": origin}
    )
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers
    answer = await shop.http.get(f"{shop.url}/health", headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers
