"""A team's app with a transform of articles."""

import asyncio
import os
from typing import Any, Literal

from pydantic import BaseModel

from gateway import (
    Export,
    FieldErrors,
    Gateway,
    Import,
    JobContext,
    TransformContext,
    export_records,
    import_records,
)

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


class ExportInput(BaseModel):
    """The choices of an export."""

    format: Literal["csv", "jsonl", "parquet"] = "csv"
    fields: list[str] = []


@app.job()
async def export_articles(choice: ExportInput, job: JobContext) -> Export:
    """Export the user's articles."""
    return await export_records(job, "articles", format=choice.format, fields=choice.fields)


@app.job(who="superuser")
async def export_all(choice: ExportInput, job: JobContext) -> Export:
    """Export all articles."""
    return await export_records(job, "articles", format=choice.format, as_user=False)


class ImportInput(BaseModel):
    """An uploaded file."""

    upload: str
    format: Literal["csv", "jsonl"] = "csv"
    mode: Literal["create", "upsert"] = "create"


@app.job()
async def import_articles(choice: ImportInput, job: JobContext) -> Import:
    """Import articles of the user."""
    source = ("uploads", choice.upload, "file")
    return await import_records(job, "articles", source, format=choice.format, mode=choice.mode)
