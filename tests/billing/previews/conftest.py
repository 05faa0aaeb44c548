"""A stack of its own: these tests move Stripe's clock, which others hold against the real one."""

from collections.abc import Iterator
from functools import partial

import pytest

from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.billing.conftest import Subscribe
from tests.billing.subscriber import sign_up_subscriber
from tests.catalogue import wait_for_catalogue
from tests.frontend import Frontend
from tests.shop import Shop
from tests.stripe_account import StripeAccount


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Running parts that the tests of this folder share."""
    made = Stack(plan_throwaway(tmp_path_factory.mktemp("stack")))
    made.simulator.command += ("--contract",)
    with made as running:
        wait_for_catalogue(running.pocketbase)
        yield running


@pytest.fixture
def subscribe(frontend: Frontend, shop: Shop, account: StripeAccount) -> Subscribe:
    """Sign up and buy, as in tests/billing."""

    return partial(sign_up_subscriber, frontend, shop, account)
