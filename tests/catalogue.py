"""The products and prices of the simulator, as rows."""

import httpx

from gateway.dev.pocketbase import PocketBaseProcess
from tests.deadline import wait_until

_ITEMS = "/api/collections/prices/records?filter=lookup_key='lifetime'"


def wait_for_catalogue(part: PocketBaseProcess) -> None:
    """Wait until the last price for sale is mirrored."""
    wait_until(lambda: httpx.get(part.url + _ITEMS, trust_env=False).json()["items"])
