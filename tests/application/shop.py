"""A team's app with one of everything that it can declare, and a plug-in."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import click
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field, SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import (
    CurrentUser,
    Event,
    EventContext,
    Gateway,
    OptionalUser,
    PocketBase,
    Row,
    Settings,
    Stripe,
    StripeObject,
    Superuser,
    TransformContext,
    UserPocketBase,
    get_settings,
)
from tests.application import labels


class ShopSettings(Settings):
    """The gateway's settings and the team's."""

    shop_name: str = "shop"
    shop_key: SecretStr


OwnSettings = Annotated[ShopSettings, Depends(get_settings)]


@asynccontextmanager
async def lifespan(app: Gateway) -> AsyncIterator[dict[str, str]]:
    """Open what the app's functions share."""
    yield {"opened_for": app.settings.pocketbase_superuser_email}


app = Gateway(title="Shop", settings=ShopSettings, lifespan=lifespan)


class Tag:
    """Middleware that marks the response to every request, of webhooks and hooks too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""

        async def send_tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-tagged", b"yes")]
            await send(message)

        await self.app(scope, receive, send_tagged)


app.add_middleware(Tag)


class ArticleInput(BaseModel):
    """An article as its author writes it."""

    title: str = Field(min_length=1)
    author: str = ""


@app.transform("articles", on={"create", "update"})
async def prepare_article(article: ArticleInput, context: TransformContext) -> ArticleInput:
    """Sign the title with what the lifespan opened."""
    user = context.user or {}
    title = f"{article.title.strip()} ({context.state['opened_for']})"
    return ArticleInput(title=title, author=user.get("id", ""))


@app.mirror("payout", collection="payouts", path="/v1/payouts")
def payout_row(payout: StripeObject, deleted: bool) -> Row:
    """Show what is on its way to the bank."""
    return {"status": payout["status"], "amount": payout["amount"]}


@app.column("product", "tax_code")
def tax_code(product: StripeObject) -> str:
    """Return Stripe's tax category; fails without one."""
    return str(product["tax_code"])


@app.on("purchase.completed", "customer.subscription.deleted")
def fulfil(event: Event, context: EventContext) -> None:
    """Note what was bought, with the lifespan's state and the team's settings."""
    settings = context.settings
    assert isinstance(settings, ShopSettings)
    facts = (event.type, event.id, context.key, settings.shop_name, context.state["opened_for"])
    with Path(os.environ["SHOP_NOTES"]).open("a") as notes:
        notes.write(" ".join(facts) + "\n")


@app.command()
@click.option("--title", default="", help="Only this one.")
async def count_articles(pb: PocketBase, settings: ShopSettings, title: str) -> None:
    """Count the articles."""
    assert settings.shop_name
    found = await pb.collection("articles").full_list()
    articles = [each for each in found if title in each["title"]]
    click.echo(f"{len(articles)} at {settings.pocketbase_url}")


@app.get("/whoami")
async def whoami(user: CurrentUser) -> dict[str, Any]:
    """Return the caller."""
    return {"id": user.id, "email": user.email, "record": user.record, "shown": repr(user)}


@app.get("/greeting")
async def greet(user: OptionalUser) -> dict[str, str]:
    """Greet a user or a guest."""
    return {"hello": user.email if user else "guest"}


@app.get("/operators")
async def show_operator(operator: Superuser) -> dict[str, str]:
    """Return the operator."""
    return {"email": operator.email}


@app.get("/articles")
async def list_articles(mine: UserPocketBase, pb: PocketBase) -> dict[str, int]:
    """Count the articles that the caller may list, and all."""
    return {
        "mine": await mine.collection("articles").count(),
        "all": await pb.collection("articles").count(),
    }


@app.get("/balance")
async def read_balance(stripe: Stripe) -> dict[str, Any]:
    """Ask Stripe."""
    customers = await stripe.v1.customers.list_async({"limit": 1})
    return {"object": customers.object}


@app.get("/settings")
async def show_settings(request: Request, settings: OwnSettings, base: Settings) -> dict[str, Any]:
    """Return the team's settings as the gateway read them."""
    return {
        "name": settings.shop_name,
        "shown": str(settings.shop_key),
        "is_one": settings is base,
        "state": request.state.opened_for,
    }


@app.delete("/orders/{order}")
async def refuse(order: int) -> None:
    """Refuse, as FastAPI's endpoints do: with a text, or with any JSON."""
    raise HTTPException(409, "already shipped" if order else {"order": "is none"})


@app.get("/broken")
async def fail() -> None:
    """Fail with an unforeseen exception."""
    raise LookupError("unforeseen")


@app.exception_handler(Exception)
async def answer_failure(request: Request, error: Exception) -> PlainTextResponse:
    """Answer failures in the team's own way."""
    return PlainTextResponse(f"sorry: {type(error).__name__}", 500)


app.include_router(labels.router, prefix="/plugin")
plain = APIRouter()
plain.include_router(labels.nested, prefix="/deeper")
app.include_router(plain)
