"""The doors of the hosted pages."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from stripe_simulator.errors import StripeError
from stripe_simulator.pages import checkout_page, index_page, portal_page
from stripe_simulator.resources import billing
from stripe_simulator.world import World

Show = Callable[[World, str, str | None], str]
Page = Callable[[Request], Awaitable[Response]]
Submit = Callable[[World, str, dict[str, str]], str]


def routes(world: World) -> list[Route]:
    """Every page of a world."""
    return [
        Route("/", _index(world)),
        *_page(world, "/c/pay/{id}", checkout_page.show, checkout_page.submit),
        *_page(world, "/p/session/{id}", portal_page.show, portal_page.submit),
        Route("/i/{id}", _invoice(world)),
        Route("/i/{id}/pdf", _invoice(world)),
        Route("/c/authenticate/{id}", _authenticate(world), methods=["POST"]),
    ]


def _page(world: World, path: str, show: Show, submit: Submit) -> list[Route]:
    async def get(request: Request) -> Response:
        world.clock.tick()
        return _shown(world, request.path_params["id"], show, None, 200)

    async def post(request: Request) -> Response:
        id = request.path_params["id"]
        world.clock.tick()
        text = (await request.body()).decode()
        fields = dict(parse_qsl(text, keep_blank_values=True))
        try:
            return RedirectResponse(submit(world, id, fields), 303)
        except StripeError as error:
            return _shown(world, id, show, str(error), error.status)

    return [Route(path, get), Route(path, post, methods=["POST"])]


def _shown(world: World, id: str, show: Show, message: str | None, status: int) -> Response:
    try:
        return HTMLResponse(show(world, id, message), status)
    except StripeError as error:
        return HTMLResponse(str(error), error.status)


def _index(world: World) -> Page:
    async def get(request: Request) -> Response:
        return HTMLResponse(index_page.show(world))

    return get


def _invoice(world: World) -> Page:
    async def get(request: Request) -> Response:
        return HTMLResponse(index_page.receipt(world, request.path_params["id"]))

    return get


def _authenticate(world: World) -> Page:
    """The bank's page: a POST with `outcome=fail` fails the check, any other passes it."""

    async def post(request: Request) -> Response:
        outcome = dict(parse_qsl((await request.body()).decode())).get("outcome", "succeed")
        billing.authenticate(world, request.path_params["id"], outcome != "fail")
        return HTMLResponse("Thank you.")

    return post
