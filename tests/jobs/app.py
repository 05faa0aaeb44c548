"""A team's app with jobs of every kind."""

import asyncio
from typing import Annotated

from fastapi import Depends, HTTPException
from pydantic import BaseModel, Field

from gateway import CurrentUser, Gateway, GiveUp, JobContext, Jobs, Router
from gateway.callers import AuthRecord

app = Gateway()


class Text(BaseModel):
    """The input of most jobs."""

    text: str = Field(min_length=1, max_length=100)


#: An integer that is no float, such as ids of other services.
LARGE = 2**60 + 1


async def note(job: JobContext, name: str) -> str:
    """Store an effect."""
    await job.pocketbase.collection("effects").create({"job": job.key, "name": name})
    return f"{name} of {job.user}"


@app.job()
async def shout(text: Text, job: JobContext) -> Text:
    """Return the text in capitals."""
    await job.progress(0.5, "Shouting", words=len(text.text.split()))
    return Text(text=text.text.upper())


@app.job(per_user=2, timeout=120)
async def wait(text: Text, job: JobContext) -> str:
    """Do a step, then wait until it is cancelled or the process ends."""
    found = await job.step("first", note, job, "first")
    number = await job.step("number", lambda: LARGE)
    await job.progress(0.5, "Waiting")
    if job.attempt == 1:
        await asyncio.sleep(60)
    await job.step("second", note, job, "second")
    return f"{found}, {number}"


@app.job(concurrency=1)
async def queue_up(job: JobContext) -> None:
    """Wait, one at a time."""
    await asyncio.sleep(60)


class Pages(BaseModel):
    """The page at which a pass over the orders is interrupted."""

    hang_at: int = 0


@app.job()
async def count_orders(pages: Pages, job: JobContext) -> dict[str, int]:
    """Note each page; hang in the first attempt before a page is finished."""
    number = 0
    async for page in job.pages("orders", filter="number >= 0", size=10, fields="number"):
        number += 1
        job.memory["orders"] = job.memory.get("orders", 0) + len(page)
        await note(job, f"{job.attempt}:{page[0]['number']:g}")
        if job.attempt == 1 and number == pages.hang_at:
            await job.progress(None, "hangs", page=number)
            await asyncio.sleep(60)
    return {"pages": number, "orders": job.memory["orders"]}


@app.job(timeout=0.3, tries=1)
async def sleep(job: JobContext) -> None:
    """Take longer than allowed."""
    await asyncio.sleep(60)


@app.job()
async def refuse(text: Text, job: JobContext) -> None:
    """Give up with a text for the user."""
    raise GiveUp(f"There is nothing to do with {text.text}.")


@app.job(tries=1)
async def break_down(job: JobContext) -> None:
    """Raise an error with an internal text."""
    raise RuntimeError("the password of the database is hunter2")


@app.job(tries=1)
async def return_a_lock(job: JobContext) -> object:
    """Return what JSON can't represent."""
    return asyncio.Lock()


class Number(BaseModel):
    """An integer of any size."""

    number: int


@app.job(tries=1)
async def spell(number: Number, job: JobContext) -> str:
    """Return the digits."""
    return str(number.number)


@app.job(tries=1)
async def return_number(number: Number, job: JobContext) -> Number:
    """Return the number itself."""
    return number


@app.job(who="superuser")
async def tidy(job: JobContext) -> str:
    """Be started by superusers only."""
    return job.user


@app.job(who="anyone", rate="3/hour", name="estimate-price")
async def estimate(text: Text, job: JobContext) -> int:
    """Be started by anyone."""
    return len(text.text)


async def customer(user: CurrentUser) -> AuthRecord:
    """Let only users with a name start a job."""
    if not user.record.get("name"):
        raise HTTPException(402, "Buy something first.")
    return user


router = Router(prefix="/shop")


@router.job(who=customer, rate="2/hour")
async def greet(job: JobContext) -> str:
    """Be started by users whom a dependency lets through."""
    return f"Hello {job.user}"


@router.post("/wishes")
async def wish(text: Text, user: CurrentUser, jobs: Jobs) -> dict[str, str]:
    """Start a job from an endpoint."""
    row = await jobs.start(shout, text, user=user.id, idempotency_key=text.text)
    return {"job": row.id}


@router.post("/checked")
async def check(name: Annotated[str, Depends(lambda: "x")]) -> str:
    """Do nothing."""
    return name


app.include_router(router)
