"""A team's app with a transform of articles."""

import asyncio
import os
from typing import Any

from pydantic import BaseModel

from gateway import FieldErrors, Gateway, TransformContext

app = Gateway()


class ArticleInput(BaseModel):
    """An article as it comes in."""

    title: str
    slug: str = ""


@app.transform("articles", on={"create", "update"})
async def prepare_article(article: ArticleInput, context: TransformContext) -> dict[str, Any]:
    """Make the slug of the title, and note the length in a hidden column."""
    if "forbidden" in article.title:
        raise FieldErrors({"title": ("title_forbidden", "Choose another title.")})
    if "broken" in article.title:
        raise RuntimeError("internal")
    if os.environ.get("SLOW"):
        await asyncio.sleep(0.05)
    slug = "-".join(article.title.lower().split())
    return {"slug": slug, "internal": str(len(article.title))}
