"""The gateway's own token: whatever ends it, the next call is a superuser's again."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from gateway.dev.stack import Stack
from gateway.pocketbase import PocketBase, PocketBaseRefused
from tests.deadline import eventually
from tests.frontend import Frontend
from tests.gateway_settings import open_pocketbase
from tests.pocketbase_alone import start_alone

_SUPERUSERS = "/api/collections/_superusers"
_EVENTS = "/api/collections/stripe_events/records"
_CUSTOMERS = "/api/collections/customers/records"
#: The shortest that PocketBase lets a token live.
_SECONDS = 10


@pytest.fixture
def own(fresh_stack: Callable[..., Stack]) -> Stack:
    """A PocketBase with a superuser that tests may change."""
    made = fresh_stack(start=False)
    start_alone(made.pocketbase)
    return made


@pytest_asyncio.fixture
async def frontend(own: Stack) -> AsyncIterator[Frontend]:
    """Another client of that PocketBase."""
    async with Frontend(own.pocketbase.url) as client:
        yield client


@pytest_asyncio.fixture
async def pocketbase(own: Stack) -> AsyncIterator[PocketBase]:
    """The gateway's client of that PocketBase."""
    async with open_pocketbase(own.pocketbase) as client:
        yield client


async def _log_in(own: Stack, frontend: Frontend) -> str:
    part = own.pocketbase
    return await frontend.log_in(part.superuser_email, part.superuser_password, "_superusers")


async def test_records_are_read_with_a_new_token_when_the_old_one_is_void(
    own: Stack, frontend: Frontend, pocketbase: PocketBase
) -> None:
    """A new password voids all tokens; the next read signs in again."""
    await pocketbase.call("GET", _EVENTS)
    token, password = await _log_in(own, frontend), own.pocketbase.superuser_password
    [superuser] = await frontend.list_records("_superusers", token=token)
    body = {"password": password, "passwordConfirm": password}
    await frontend.call("PATCH", f"{_SUPERUSERS}/records/{superuser['id']}", token=token, body=body)
    assert await pocketbase.call("GET", _EVENTS)


async def test_the_token_is_renewed_before_it_ends(
    own: Stack, frontend: Frontend, pocketbase: PocketBase
) -> None:
    """When the first token has run out, a list still shows what only superusers see."""
    token = await _log_in(own, frontend)
    settings = {"authToken": {"duration": _SECONDS}}
    await frontend.call("PATCH", _SUPERUSERS, token=token, body=settings)
    await pocketbase.call("POST", _CUSTOMERS, {"stripe_id": "cus_hidden"})
    first = await _log_in(own, frontend)

    async def has_run_out() -> bool:
        try:
            await pocketbase.call("GET", _EVENTS, token=first)
        except PocketBaseRefused:
            return True
        return False

    await eventually(has_run_out, within=2 * _SECONDS)
    assert (await pocketbase.call("GET", _CUSTOMERS))["items"]
