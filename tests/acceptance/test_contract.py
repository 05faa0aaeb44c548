"""The gateway sends only requests that Stripe's OpenAPI document allows."""

from tests.frontend import Frontend
from tests.shop import Shop
from tests.stripe_account import StripeAccount


async def test_nothing_is_sent_that_stripe_would_refuse(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """In a purchase of either kind and a portal visit no request and no event breaks the contract.

    The simulator refuses what does, so that every other test on the shared parts shows it too.
    """
    buyer = await frontend.sign_up()
    await frontend.call(
        "PATCH",
        f"/api/collections/users/records/{buyer.id}",
        token=buyer.token,
        body={"name": "A Name"},
    )
    for price in ("pro_yearly", "lifetime"):
        await shop.pay(await shop.check_out(buyer, price))
    await shop.open_portal(buyer)
    await account.wait_delivered()
    assert await account.read_violations() == []
