"""Integers that PocketBase's hooks would change are refused before they are stored."""

import pytest

from gateway.errors import InvalidRequest
from tests.work.office import Office


async def test_an_inexact_payload_is_refused(office: Office) -> None:
    """2**53 + 1 is no float: the item is refused with a sentence, and nothing is added."""
    with pytest.raises(InvalidRequest, match=r"integer beyond 2\*\*53: write it as text"):
        await office.add(payload={"numbers": [2**53 + 1]})
    [id] = await office.add(payload={"numbers": [2**53, 1.5]})
    assert (await office.read(id))["payload"] == {"numbers": [2**53, 1.5]}
