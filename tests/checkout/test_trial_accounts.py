"""One trial per verified address; an unverified account does not use it up."""

from collections.abc import Callable
from secrets import token_hex
from typing import Any

import pytest

from tests.checkout.conftest import MakePrice
from tests.dashboard import Dashboard
from tests.frontend import Frontend, User
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount

_USERS = "/api/collections/users/records"


@pytest.fixture
def sign_up(frontend: Frontend, dashboard: Dashboard) -> Callable[..., Any]:
    """Sign up, and let PocketBase verify the address."""

    async def sign(email: str, *, verified: bool) -> User:
        user = await frontend.sign_up(email)
        if verified:
            await dashboard.call("PATCH", f"{_USERS}/{user.id}", {"verified": True})
        return user

    return sign


@pytest.fixture
def take_trial(
    shop: Shop, account: StripeAccount, frontend: Frontend
) -> Callable[[User, str], Any]:
    """Subscribe; return whether that began with a trial."""

    async def take(user: User, price: str) -> bool:
        await shop.pay(await shop.check_out(user, price))
        await account.wait_delivered()
        [row] = await frontend.list_records(
            "subscriptions", token=user.token, filter="status != 'canceled'"
        )
        return bool(row["trial_end"])

    return take


async def _delete(frontend: Frontend, dashboard: Dashboard, user: User) -> None:
    await frontend.call("DELETE", f"{_USERS}/{user.id}", token=user.token)
    await dashboard.wait_payer_change(f"payer = '{user.id}'")


def _new_address() -> str:
    return f"trial-{token_hex(5)}@example.com"


@pytest.mark.parametrize(("former", "has_trial"), [(True, False), (False, True)])
async def test_only_a_verified_address_uses_up_a_trial(
    former: bool,
    has_trial: bool,
    sign_up: Callable[..., Any],
    take_trial: Callable[[User, str], Any],
    frontend: Frontend,
    dashboard: Dashboard,
    make_price: MakePrice,
) -> None:
    """A deleted account leaves the owner of its address without a trial only if it was theirs."""
    price, email = await make_price(trial_days="14"), _new_address()
    before = await sign_up(email, verified=former)
    assert await take_trial(before, price)
    await _delete(frontend, dashboard, before)
    owner = await sign_up(email.upper(), verified=True)
    assert await frontend.list_records("subscriptions", token=owner.token) == [] or former
    assert await take_trial(owner, price) is has_trial


@pytest.mark.parametrize("verified", [True, False])
async def test_case_variants_share_a_trial(
    verified: bool,
    sign_up: Callable[..., Any],
    take_trial: Callable[[User, str], Any],
    make_price: MakePrice,
) -> None:
    """Accounts with addresses that differ in case only share one trial, also unverified."""
    price, email = await make_price(trial_days="14"), _new_address()
    assert await take_trial(await sign_up(email, verified=verified), price)
    for variant in (email.title(), email.upper()):
        assert not await take_trial(await sign_up(variant, verified=verified), price)


@pytest.mark.parametrize("former", [False, True], ids=["existing", "deleted"])
async def test_tagged_addresses_share_a_trial(
    former: bool,
    sign_up: Callable[..., Any],
    take_trial: Callable[[User, str], Any],
    frontend: Frontend,
    dashboard: Dashboard,
    make_price: MakePrice,
) -> None:
    """`me+shop@…` and `me@…` are one mailbox; an address that only begins alike is another."""
    price, email = await make_price(trial_days="14"), _new_address()
    first = await sign_up(email.replace("@", "+shop@"), verified=True)
    assert await take_trial(first, price)
    if former:
        await _delete(frontend, dashboard, first)
    for tag in ("", "+other"):
        again = await sign_up(email.replace("@", f"{tag}@").title(), verified=True)
        assert not await take_trial(again, price)
    assert await take_trial(await sign_up(email.replace("@", "x@"), verified=True), price)


async def test_a_strangers_account_leaves_the_owner_their_trial(
    sign_up: Callable[..., Any],
    take_trial: Callable[[User, str], Any],
    make_price: MakePrice,
) -> None:
    """An account that never verified the address decides nothing about one that has."""
    price, email = await make_price(trial_days="14"), _new_address()
    assert await take_trial(await sign_up(email.title(), verified=False), price)
    assert await take_trial(await sign_up(email, verified=True), price)


async def test_a_strangers_open_trial_holds_nobody_up(
    sign_up: Callable[..., Any],
    take_trial: Callable[[User, str], Any],
    shop: Shop,
    account: StripeAccount,
    make_price: MakePrice,
) -> None:
    """A stranger's open session keeps no trial from the owner; a case variant's session does."""
    price, email = await make_price(trial_days="14"), _new_address()
    first, second = [await sign_up(each, verified=True) for each in (email, email.upper())]
    stranger = await sign_up(email.title(), verified=False)
    amounts = []
    for user in (stranger, first, second):
        made = (await shop.post("/checkout", user, build_order(price))).json()
        amounts.append((await account.read(f"checkout/sessions/{made['id']}"))["amount_total"])
    assert amounts == [0, 0, 700]
