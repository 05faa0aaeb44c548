"""The business logic of the project; tests/test_app.py has a test per function."""

import click
from pydantic import BaseModel, Field

from gateway import (
    Batch,
    CurrentUser,
    Event,
    EventContext,
    Gateway,
    PocketBase,
    Row,
    StripeObject,
    TransformContext,
)

app = Gateway()


class PostInput(BaseModel):
    """The fields that a write of a post may send; only a superuser may name the author."""

    title: str = Field(min_length=1, max_length=200)
    author: str = ""


@app.transform("posts", on={"create", "update"})
async def prepare_post(post: PostInput, context: TransformContext) -> PostInput:
    """Trim the title and set the author; every direct write to `posts` passes through here."""
    return PostInput(title=post.title.strip(), author=choose_author(post, context))


def choose_author(post: PostInput, context: TransformContext) -> str:
    """Return the author: the user who creates the post. It never changes.

    `context.user` is a superuser in the dashboard and in `gateway transforms run`.
    """
    if context.original:
        return str(context.original["author"])
    caller = context.user or {}
    return str(caller["id"]) if caller.get("collectionName") == "users" else post.author


@app.mirror("payout", collection="payouts", path="/v1/payouts")
def payout_row(payout: StripeObject, deleted: bool) -> Row:
    """Return the columns of a payout."""
    return {"status": payout["status"], "amount": payout["amount"]}


@app.on("purchase.completed")
async def thank(event: Event, context: EventContext) -> Batch:
    """Store a note for the buyer, exactly once per purchase, because the batch is returned."""
    batch = context.pocketbase.batch()
    batch.collection("thanks").create({"event": event.id, "user": event.user})
    return batch


class PostCount(BaseModel):
    """The number of posts."""

    count: int


@app.get("/posts/count")
async def count_posts(user: CurrentUser, pb: PocketBase) -> PostCount:
    """Return how many posts exist, to signed-in users."""
    return PostCount(count=await pb.collection("posts").count())


@app.command("show-posts")
async def show_posts(pb: PocketBase) -> None:
    """Print the titles of all posts: `gateway show-posts`."""
    for post in await pb.collection("posts").full_list():
        click.echo(post["title"])
