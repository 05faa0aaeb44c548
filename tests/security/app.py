"""A team's app: the example's transform and endpoint, jobs, and parameters of every kind."""

from typing import Annotated

from fastapi import Header, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from gateway import CurrentUser, Gateway, JobContext, OptionalUser, Superuser
from shop import posts, publishing

app = Gateway()
app.include_router(posts.router)
app.include_router(publishing.router)


class Text(BaseModel):
    """The input of the jobs, and the answer of the endpoint."""

    text: str = Field(min_length=1, max_length=100)


@app.job(per_user=1000)
async def shout(text: Text, job: JobContext) -> Text:
    """Return the text in capitals."""
    return Text(text=text.text.upper()[:100])


@app.job(who="superuser")
async def tidy(job: JobContext) -> str:
    """Be started by superusers only."""
    return job.user


@app.job(who="anyone", rate="1000000/second", name="estimate-price")
async def estimate(text: Text, job: JobContext) -> int:
    """Be started by anyone."""
    return len(text.text)


@app.get("/notes/{number}")
async def read_note(
    number: int,
    user: CurrentUser,
    text: Annotated[str, Query(max_length=50)] = "a",
    page: Annotated[int, Query(ge=1)] = 1,
    x_note: Annotated[str | None, Header()] = None,
) -> Text:
    """Return the given text."""
    return Text(text=f"{text}{page}"[:100])


@app.delete("/notes/{number}", status_code=204)
async def delete_note(number: int, superuser: Superuser) -> None:
    """Do nothing, for superusers."""


@app.get("/greeting")
async def greet(user: OptionalUser) -> Text:
    """Greet users and guests."""
    return Text(text="Hello, user" if user else "Hello, guest")


@app.get("/page", response_class=HTMLResponse, include_in_schema=False)
async def show_page() -> HTMLResponse:
    """Return a page with a header of its own."""
    return HTMLResponse("<p>Hello</p>", headers={"Cache-Control": "public, max-age=60"})
