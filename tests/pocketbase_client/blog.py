"""A blog's collections, as a team's project might have them, and the models of their records."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

# A guest's id is empty, as the author of a post without one.
_OWN = "(@request.auth.id != '' && author = @request.auth.id)"


def describe_collections(users: str) -> list[dict[str, Any]]:
    """Return the collections.

    Args:
        users: id of the users collection.
    """
    posts = [
        {"name": "title", "type": "text", "required": True, "max": 50},
        {"name": "score", "type": "number"},
        {"name": "tags", "type": "select", "values": ["a", "b", "c"], "maxSelect": 3},
        {"name": "due", "type": "date"},
        {"name": "public", "type": "bool"},
        {"name": "data", "type": "json"},
        {"name": "author", "type": "relation", "collectionId": users},
        {"name": "documents", "type": "file", "maxSelect": 3},
        {"name": "cover", "type": "file", "thumbs": ["10x10"], "mimeTypes": ["image/png"]},
        {"name": "secret", "type": "file", "protected": True},
        {"name": "created", "type": "autodate", "onCreate": True},
    ]
    comments = [
        {"name": "text", "type": "text"},
        {"name": "post", "type": "relation", "collectionId": "pbc_posts000000", "required": True},
    ]
    read = f"public = true || {_OWN}"
    rules = {"listRule": read, "viewRule": read, "updateRule": _OWN, "deleteRule": _OWN}
    return [
        {
            "id": "pbc_posts000000",
            "name": "posts",
            "type": "base",
            "fields": posts,
            "createRule": "@request.auth.id != ''",
            **rules,
        },
        {
            "name": "comments",
            "type": "base",
            "fields": comments,
            "listRule": "",
            "viewRule": "",
            "createRule": "",
        },
    ]


class Author(BaseModel):
    """A user."""

    id: str
    name: str | None = None


class Comment(BaseModel):
    """A comment."""

    id: str
    text: str
    post: str


class Related(BaseModel):
    """Records that come along with a post."""

    author: Author | None = None
    comments_via_post: list[Comment] = []


class Post(BaseModel):
    """A post."""

    id: str = ""
    title: str
    score: float = 0
    tags: list[str] = []
    due: datetime | None = None
    author: str | None = None
    public: bool = False
    data: dict[str, Any] | None = None
    documents: list[str] = []
    cover: str | None = None
    published_at: datetime | None = Field(default=None, alias="created")
    expand: Related = Related()
