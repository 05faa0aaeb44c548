"""The permissions of a restricted key: the probe finds what is missing, and changes nothing."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from gateway.errors import StripeKeyRefused
from gateway.setup.permissions import PERMISSIONS, build_key_url, find_missing, read_mode
from tests.simulator.served import Running, run, stripe_sdk

_KEY = "rk_test_gateway"
_ALL = [each.slug for each in PERMISSIONS]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def simulator() -> AsyncIterator[Running]:
    """A simulator that holds requests against Stripe's OpenAPI document."""
    async with run() as running:
        yield running


async def _probe(simulator: Running, permissions: list[str]) -> dict[str, tuple[str, ...]]:
    """Return what the probe finds for a key with these permissions."""
    await simulator.control("restricted_keys", key=_KEY, permissions=permissions)
    async with stripe_sdk(simulator.base, _KEY) as client:
        missing = await find_missing(client)
    return {each.permission.slug: each.named for each in missing}


@pytest.mark.asyncio(loop_scope="module")
async def test_each_missing_permission_is_found(simulator: Running) -> None:
    """With Stripe's own name; with all of them nothing is missing."""
    assert await _probe(simulator, _ALL) == {}
    for held, lacking in ((_ALL[::2], _ALL[1::2]), (_ALL[1::2], _ALL[::2])):
        assert await _probe(simulator, held) == {slug: (f"rak_{slug}",) for slug in lacking}


@pytest.mark.asyncio(loop_scope="module")
async def test_the_probe_changes_nothing(simulator: Running) -> None:
    """No object and no event, and every request is one that Stripe's document allows."""
    world = simulator.simulator.world
    before = {kind: dict(found) for kind, found in world.objects.items() if found}, world.events[:]
    await _probe(simulator, _ALL)
    assert ({kind: dict(found) for kind, found in world.objects.items() if found}) == before[0]
    assert world.events == before[1]
    assert simulator.simulator.violations == []


@pytest.mark.asyncio(loop_scope="module")
async def test_an_unknown_key_is_not_a_missing_permission(simulator: Running) -> None:
    """Stripe's 401 is an error of its own."""
    async with stripe_sdk(simulator.base, "pk_test_wrong") as client:
        with pytest.raises(StripeKeyRefused):
            await find_missing(client)


def test_the_dashboards_page_has_all_permissions() -> None:
    """The address of the form that creates the key, in each mode."""
    url = urlsplit(build_key_url("test"))
    assert url.path == "/test/apikeys/create"
    assert parse_qs(url.query)["permissions[]"] == [f"rak_{slug}" for slug in _ALL]
    assert urlsplit(build_key_url("live")).path == "/apikeys/create"


@pytest.mark.parametrize(
    ("key", "mode"),
    [
        ("sk_live_1", "live"),
        ("rk_live_1", "live"),
        ("sk_test_1", "test"),
        ("rk_test_1", "test"),
        ("sk_1", None),
    ],
)
def test_a_key_shows_its_mode(key: str, mode: str | None) -> None:
    """By its prefix."""
    assert read_mode(key) == mode
