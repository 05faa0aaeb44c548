"""Purchases: entitlement rules, messages, payouts, and the command."""

import asyncio
import sys
from pathlib import Path

import pytest

from gateway import PocketBaseClient, ValidationFailed, filter
from gateway.testing import Buy, Clock, SignedUpUser, Stack, StripeEvent, eventually


async def test_a_rule_needs_an_entitlement(buy: Buy, user: SignedUpUser) -> None:
    """Only users with `pro` write reports; PocketBase checks it without the gateway."""
    reports = user.pb.collection("reports")
    report = {"title": "Numbers", "author": user.id}
    with pytest.raises(ValidationFailed):
        await reports.create(report)
    await buy("pro_monthly")
    await reports.create(report)


async def test_a_buyer_gets_a_message(buy: Buy, user: SignedUpUser) -> None:
    """The event handler runs after the purchase is stored."""
    await buy("pro_monthly")
    messages = await eventually(lambda: user.pb.collection("messages").full_list())
    assert [message["user"] for message in messages] == [user.id]


async def test_a_second_plan_leads_to_the_portal(buy: Buy, user: SignedUpUser) -> None:
    """A subscriber's order of another plan gets 409 with the address of the billing portal."""
    await buy("pro_monthly")
    with pytest.raises(AssertionError, match=r'409 .*"portal_url":"http'):
        await buy("pro_yearly")


async def test_a_trial_ends_with_the_first_payment(
    buy: Buy, user: SignedUpUser, clock: Clock
) -> None:
    """The subscription is `trialing` for 14 days, then `active`."""
    await buy("writer_monthly")
    [trial] = await user.pb.collection("subscriptions").full_list()
    assert trial["status"] == "trialing"
    await clock.advance(days=15)
    [paid] = await user.pb.collection("subscriptions").full_list()
    assert paid["status"] == "active"


async def test_guests_see_prices(stack: Stack) -> None:
    """Prices with their products are public, those of every plan included."""
    async with PocketBaseClient(stack.pocketbase.url) as guest:
        prices = await guest.collection("prices").full_list(expand="product")
    sold = {price["lookup_key"]: price["expand"]["product"]["name"] for price in prices}
    assert sold["writer_monthly"] == "Writer"
    assert sold["studio_monthly"] == "Studio"


async def test_a_payout_becomes_a_row(
    stripe_event: StripeEvent, superuser_pb: PocketBaseClient
) -> None:
    """The columns of `payouts` are those that the mirror returns."""
    payout = {"id": "po_1", "status": "paid", "amount": 4200, "currency": "usd"}
    await stripe_event("payout.paid", payout | {"arrival_date": 1_800_000_000})
    row = await superuser_pb.collection("payouts").first(filter("stripe_id = {:id}", id="po_1"))
    assert (row["status"], row["amount"], row["currency"]) == ("paid", 4200, "usd")
    assert row["arrival_date"].startswith("2027-01-15")


async def test_the_command_lists_posts(
    stack: Stack, gateway_project: Path, buy: Buy, user: SignedUpUser
) -> None:
    """`gateway list-posts` prints the published posts of the running stack."""
    await buy("writer_monthly")
    post = {"title": "Printed", "content": "<p>Three words here</p>", "published": True}
    await user.pb.collection("posts").create(post)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "list-posts"),
        cwd=gateway_project,
        env=stack.gateway.env,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert "printed: Printed" in output.decode().splitlines()
