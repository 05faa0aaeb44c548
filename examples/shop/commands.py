"""Commands of the shop, beside those of the gateway: `gateway --help` lists both."""

import click

from gateway import PocketBase, Router

router = Router()


@router.command("list-posts")
async def list_posts(pb: PocketBase) -> None:
    """Print the address and title of all published posts: `gateway list-posts`."""
    posts = pb.collection("posts")
    for post in await posts.full_list(filter="published = true", sort="published_at"):
        click.echo(f"{post['slug']}: {post['title']}")
