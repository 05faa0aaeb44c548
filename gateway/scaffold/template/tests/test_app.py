"""One test per kind of function in app.py."""

import asyncio
import sys

import httpx2
import pytest

from app import PostInput, prepare_post
from gateway import PocketBaseClient, TransformContext, ValidationFailed, filter
from gateway.testing import Buy, Clock, SignedUpUser, SignUp, Stack, StripeEvent, eventually


async def test_a_post_is_prepared(user: SignedUpUser) -> None:
    """The transform trims the title, sets the author, and refuses an empty title."""
    post = await user.pb.collection("posts").create({"title": "  Hello  "})
    assert (post["title"], post["author"]) == ("Hello", user.id)
    with pytest.raises(ValidationFailed) as refused:
        await user.pb.collection("posts").create({"title": ""})
    assert "title" in refused.value.data


@pytest.mark.parametrize("caller", ["users", "_superusers"])
async def test_a_post_keeps_its_author(caller: str) -> None:
    """A transform is a function, so it can be tested without a server."""
    context = TransformContext(
        "update",
        "posts",
        original={"title": "Mine", "author": "fay"},
        user={"id": "other", "collectionName": caller},
    )
    post = await prepare_post(PostInput(title=" Ours ", author="other"), context)
    assert (post.title, post.author) == ("Ours", "fay")


async def test_an_operator_keeps_the_author(stack: Stack, user: SignedUpUser) -> None:
    """`gateway transforms run` and the dashboard write as a superuser."""
    post = await user.pb.collection("posts").create({"title": "Mine"})
    await run_command(stack, "transforms", "run", "posts")
    found = await user.pb.collection("posts").get(post["id"])
    assert found["author"] == user.id


async def test_a_payout_becomes_a_row(
    stripe_event: StripeEvent, superuser_pb: PocketBaseClient
) -> None:
    """An event's object is stored in the collection of its mirror."""
    await stripe_event("payout.paid", {"id": "po_1", "status": "paid", "amount": 4200})
    row = await superuser_pb.collection("payouts").first(filter("stripe_id = {:id}", id="po_1"))
    assert (row["status"], row["amount"]) == ("paid", 4200)


async def test_a_buyer_is_thanked(buy: Buy, user: SignedUpUser) -> None:
    """The handler is called after the purchase is stored."""
    await buy("pro_monthly")
    notes = await eventually(lambda: user.pb.collection("thanks").full_list())
    assert [note["user"] for note in notes] == [user.id]


async def test_a_subscription_renews(buy: Buy, user: SignedUpUser, clock: Clock) -> None:
    """After a month the next invoice is paid."""
    await buy("pro_monthly")
    [before] = await user.pb.collection("subscriptions").full_list()
    await clock.advance(days=32)
    [after] = await user.pb.collection("subscriptions").full_list()
    assert after["current_period_end"] > before["current_period_end"]
    assert after["status"] == "active"


async def test_posts_are_counted_for_users(
    http: httpx2.AsyncClient, user: SignedUpUser, sign_up: SignUp
) -> None:
    """Guests get 401; every user sees the number of all posts."""
    assert (await http.get("/posts/count")).status_code == 401
    other = await sign_up()
    await other.pb.collection("posts").create({"title": "Another"})
    assert (await user.http.get("/posts/count")).json()["count"] >= 1


async def test_the_command_prints_titles(stack: Stack, user: SignedUpUser) -> None:
    """`gateway show-posts` works on the running stack."""
    await user.pb.collection("posts").create({"title": "Printed"})
    assert "Printed" in await run_command(stack, "show-posts")


async def run_command(stack: Stack, *words: str) -> list[str]:
    """Run `gateway …` with the settings of the stack, and return the lines that it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *words),
        cwd=stack.gateway.cwd,
        env=stack.gateway.env,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode().splitlines()
