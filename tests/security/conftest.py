"""A stack with an app of every kind of endpoint, and a buyer with one object of each kind."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from gateway.dev.plan import plan_throwaway
from gateway.dev.pocketbase import ROOT
from gateway.dev.project import Project
from gateway.dev.stack import Stack
from tests.billing.subscriber import sign_up_subscriber
from tests.catalogue import wait_for_catalogue
from tests.frontend import Frontend, User
from tests.http_client import open_client
from tests.jobs.client import JobClient
from tests.shop import CANCEL, ORIGIN, SUCCESS, Shop
from tests.stripe_account import StripeAccount
from tests.superuser import log_in_superuser
from tests.user_without_purchase import sign_up_without_purchase

_EXAMPLE = Project(ROOT / "examples")
METRICS_TOKEN = "metrics-token-of-the-tests"
_SETTINGS = {
    "GATEWAY_APP": "tests.security.app:app",
    "GATEWAY_GUEST_CHECKOUT": "true",
    "GATEWAY_METRICS_TOKEN": METRICS_TOKEN,
    "GATEWAY_SELF_SERVICE_METERS": "tokens",
    "PYTHONPATH": str(_EXAMPLE.folder),
}


@dataclass(frozen=True)
class Owned:
    """A user, and an id of each kind of object that is the user's."""

    user: User
    #: By the name of the parameter or body member that takes the id.
    ids: dict[str, str]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running parts of this folder's tests: leave them running."""
    plan = plan_throwaway(tmp_path_factory.mktemp("security"), _SETTINGS)
    plan = replace(plan, migrations=(_EXAMPLE.migrations,), catalogue=_EXAMPLE.catalogue)
    with Stack(plan) as running:
        wait_for_catalogue(running.pocketbase)
        yield running


@pytest.fixture(scope="session")
def owned(stack: Stack) -> Owned:
    """A subscriber with a team, a job and a post."""
    return asyncio.run(_buy(stack))


@pytest.fixture(scope="session")
def stranger(stack: Stack) -> User:
    """A user who owns nothing."""
    return sign_up_without_purchase(stack.pocketbase.url)


async def _buy(stack: Stack) -> Owned:
    async with open_client() as http, Frontend(stack.pocketbase.url) as frontend:
        shop = Shop(http, stack.gateway.url)
        buyer = await sign_up_subscriber(
            frontend, shop, StripeAccount(http, stack.simulator), "writer_monthly"
        )
        user = buyer.user
        [session] = await frontend.list_records("checkout_sessions", token=user.token)
        [customer] = await frontend.list_records("customers", token=user.token)
        organizations = "/api/collections/organizations/records"
        team = await frontend.call("POST", organizations, token=user.token, body={"name": "A"})
        job = await shop.post("/jobs/shout", user, {"text": "a"})
        job_id = _read_id(job)
        await JobClient(http, stack.gateway.url, user.token).wait(job_id)
        post = await shop.post("/records/posts", user, {"title": "A", "content": "a b c"})
        root = log_in_superuser(stack.pocketbase)
        [event, *_] = await frontend.list_records("stripe_events", token=root)
        [item] = (await buyer.read())["items"]["data"]
        return Owned(
            user,
            {
                "subscription": buyer.id,
                "session_id": session["stripe_id"],
                "customer": customer["stripe_id"],
                "organization": team["id"],
                "record_id": _read_id(post),
                "id": job_id,
                "job_id": job_id,
                "event": event["stripe_id"],
                "user": user.id,
                "price": "writer_monthly",
                "item": item["id"],
                "collection": "posts",
                "meter": "tokens",
                "success_url": SUCCESS,
                "cancel_url": CANCEL,
                "return_url": f"{ORIGIN}/account",
            },
        )


def _read_id(answer: httpx.Response) -> str:
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return str(found["id"])


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of test_api.py."""
    parser.addoption("--api-examples", type=int, default=3, help="cases per operation")
    parser.addoption("--api-seed", type=int, default=1)
