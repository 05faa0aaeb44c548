"""The webhook endpoint: found by its URL, compared with the wanted one."""

from dataclasses import replace

import pytest

from gateway.setup.event_types import ALL_EVENTS, PINNED_VERSION
from gateway.setup.webhook_endpoint import (
    FINGERPRINT,
    RegisteredEndpoint,
    compare,
    find_endpoints,
    fingerprint,
    is_reachable,
    select_by_url,
)
from tests.simulator.served import run

_URL = "https://shop.example.com/webhooks/stripe"
_ENDPOINT = RegisteredEndpoint(
    "we_1", _URL, frozenset({"price.created", "price.updated"}), PINNED_VERSION, True, True, {}, 1
)


async def test_an_endpoint_is_found_by_its_url() -> None:
    """Enabled ones come first, then the newest; other URLs are not the gateway's."""
    async with run(contract=False) as simulator:
        create = simulator.sdk.v1.webhook_endpoints.create_async
        made = [
            await create({"url": url, "enabled_events": ["*"], "api_version": PINNED_VERSION})
            for url in (_URL, f"{_URL}/", "https://SHOP.example.com/webhooks/stripe", f"{_URL}/2")
        ]
        await simulator.sdk.v1.webhook_endpoints.update_async(made[0].id, {"disabled": True})
        found = await find_endpoints(simulator.sdk, _URL)
    assert {each.id for each in found[:2]} == {made[1].id, made[2].id}
    assert [each.id for each in found[2:]] == [made[0].id]
    assert not found[2].is_enabled
    assert compare(found[0], [ALL_EVENTS]).describe() == ""


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, ""),
        ({"is_enabled": False}, "it is disabled"),
        ({"enabled_events": frozenset({"price.created"})}, "it lacks price.updated"),
        (
            {"enabled_events": _ENDPOINT.enabled_events | {"payout.paid"}},
            "it also receives payout.paid",
        ),
        ({"enabled_events": frozenset({"*"})}, "it also receives *"),
        (
            {"api_version": "2020-08-27"},
            f"its API version is 2020-08-27 instead of {PINNED_VERSION}",
        ),
        ({"api_version": None}, f"its API version is default instead of {PINNED_VERSION}"),
    ],
)
def test_differences_are_named(changes: dict[str, object], sentence: str) -> None:
    """Types, version and status; nothing if they are as wanted."""
    difference = compare(replace(_ENDPOINT, **changes), ["price.updated", "price.created"])  # type: ignore[arg-type]
    assert difference.describe() == sentence
    assert bool(difference) is bool(sentence)


def test_the_newest_comes_first() -> None:
    """Of those that are enabled."""
    newer = replace(_ENDPOINT, id="we_2", created=2)
    disabled = replace(_ENDPOINT, id="we_3", created=3, is_enabled=False)
    found = select_by_url([disabled, _ENDPOINT, newer], _URL)
    assert [each.id for each in found] == ["we_2", "we_1", "we_3"]


def test_the_secret_is_recognized_by_its_fingerprint() -> None:
    """An endpoint without one may have any secret."""
    known = replace(_ENDPOINT, metadata={FINGERPRINT: fingerprint("whsec_a")})
    assert known.has_secret(["whsec_b", "whsec_a"]) is True
    assert known.has_secret(["whsec_b"]) is False
    assert _ENDPOINT.has_secret(["whsec_a"]) is None
    assert "whsec" not in fingerprint("whsec_a")


@pytest.mark.parametrize(
    ("url", "reachable"),
    [
        (_URL, True),
        ("https://8.8.8.8/webhooks/stripe", True),
        ("https://[2001:4860:4860::8888]/", True),
        ("http://localhost:8000/webhooks/stripe", False),
        ("http://shop.localhost/", False),
        ("http://127.0.0.1:8000/", False),
        ("https://10.1.2.3/", False),
        ("https://192.168.1.2/", False),
        ("https://[::1]/", False),
        ("https://gateway:8000/", False),
        ("https://shop.local/", False),
    ],
)
def test_stripe_reaches_public_hosts_only(url: str, reachable: bool) -> None:
    """Not this machine and not a private network."""
    assert is_reachable(url) is reachable
