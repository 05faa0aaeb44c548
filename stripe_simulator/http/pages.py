"""The doors of the pages: hosted pages for customers, and objects and scenarios for developers."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from stripe_simulator.errors import StripeError
from stripe_simulator.pages import (
    checkout_page,
    event_page,
    index_page,
    object_page,
    portal_page,
    receipt_page,
)
from stripe_simulator.pages.kinds import locate
from stripe_simulator.resources import billing, portal_sessions
from stripe_simulator.scenarios.scenario import ACCOUNT, run_scenario
from stripe_simulator.simulator import Simulator
from stripe_simulator.world import World

Show = Callable[[World, str, str | None], str]
Page = Callable[[Request], Awaitable[Response]]
Submit = Callable[[World, str, dict[str, str]], str]

#: The next page shows the answers of webhook endpoints that are faster.
_DELIVERY_SECONDS = 3.0


def routes(simulator: Simulator) -> list[Route]:
    """Every page of a simulator."""
    world = simulator.world
    return [
        *_page(world, "/c/pay/{id}", checkout_page.show, checkout_page.submit),
        *_page(world, "/p/session/{id}", portal_page.show, portal_page.submit),
        Route("/i/{id}", _invoice(world)),
        Route("/i/{id}/pdf", _invoice(world)),
        Route("/c/authenticate/{id}", _authenticate(world), methods=["POST"]),
        Route("/", _index(simulator), methods=["GET", "POST"]),
        Route("/objects/{kind}", _list(simulator)),
        Route("/objects/{kind}/{id}", _object(simulator), methods=["GET", "POST"]),
        Route("/objects/customer/{id}/portal", _open_portal(world), methods=["POST"]),
        Route("/events", _events(simulator)),
        Route("/events/{id}", _event(simulator), methods=["GET", "POST"]),
    ]


def _page(world: World, path: str, show: Show, submit: Submit) -> list[Route]:
    async def get(request: Request) -> Response:
        world.clock.tick()
        return _shown(world, request.path_params["id"], show, None, 200)

    async def post(request: Request) -> Response:
        id = request.path_params["id"]
        world.clock.tick()
        try:
            return RedirectResponse(submit(world, id, await _read(request)), 303)
        except StripeError as error:
            return _shown(world, id, show, str(error), error.status)

    return [Route(path, get), Route(path, post, methods=["POST"])]


async def _read(request: Request) -> dict[str, str]:
    text = (await request.body()).decode(errors="replace")
    return dict(parse_qsl(text, keep_blank_values=True))


def _shown(world: World, id: str, show: Show, message: str | None, status: int) -> Response:
    try:
        return HTMLResponse(show(world, id, message), status)
    except StripeError as error:
        return HTMLResponse(str(error), error.status)


def _index(simulator: Simulator) -> Page:
    async def answer(request: Request) -> Response:
        if request.method == "GET":
            return HTMLResponse(index_page.show(simulator, _since(request)))
        before = len(simulator.world.events)
        try:
            run_scenario(simulator.world, ACCOUNT, {}, await _read(request))
        except StripeError as error:
            return HTMLResponse(index_page.show(simulator, before, str(error)), error.status)
        await simulator.deliverer.wait_until_idle(_DELIVERY_SECONDS)
        return RedirectResponse(f"/?since={before}", 303)

    return answer


def _list(simulator: Simulator) -> Page:
    async def get(request: Request) -> Response:
        return HTMLResponse(object_page.show_list(simulator, request.path_params["kind"]))

    return get


def _object(simulator: Simulator) -> Page:
    world = simulator.world

    async def answer(request: Request) -> Response:
        kind, id = request.path_params["kind"], request.path_params["id"]
        world.clock.tick()
        try:
            obj = world.get(kind, id)
        except StripeError as error:
            return HTMLResponse(object_page.show_missing(simulator, kind, id), error.status)
        if request.method == "GET":
            return HTMLResponse(object_page.show_object(simulator, kind, id, _since(request)))
        before = len(world.events)
        try:
            run_scenario(world, kind, obj, await _read(request))
        except StripeError as error:
            text = object_page.show_object(simulator, kind, id, before, str(error))
            return HTMLResponse(text, error.status)
        await simulator.deliverer.wait_until_idle(_DELIVERY_SECONDS)
        return RedirectResponse(f"{locate(kind, id)}?since={before}", 303)

    return answer


def _since(request: Request) -> int | None:
    text = request.query_params.get("since", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _open_portal(world: World) -> Page:
    async def post(request: Request) -> Response:
        id = request.path_params["id"]
        back = f"{world.settings.public_url}{locate('customer', id)}"
        try:
            session = portal_sessions.create(world, {"customer": id, "return_url": back})
        except StripeError as error:
            return HTMLResponse(str(error), error.status)
        return RedirectResponse(session["url"], 303)

    return post


def _events(simulator: Simulator) -> Page:
    async def get(request: Request) -> Response:
        return HTMLResponse(event_page.show_list(simulator))

    return get


def _event(simulator: Simulator) -> Page:
    async def answer(request: Request) -> Response:
        id = request.path_params["id"]
        try:
            text = event_page.show_event(simulator, id)
        except StripeError as error:
            return HTMLResponse(str(error), error.status)
        if request.method == "GET":
            return HTMLResponse(text)
        simulator.deliverer.redeliver(id, list(simulator.world.all("webhook_endpoint")))
        await simulator.deliverer.wait_until_idle(_DELIVERY_SECONDS)
        return RedirectResponse(f"/events/{id}", 303)

    return answer


def _invoice(world: World) -> Page:
    async def get(request: Request) -> Response:
        return HTMLResponse(receipt_page.show(world, request.path_params["id"]))

    return get


def _authenticate(world: World) -> Page:
    """The bank's page: a POST with `outcome=fail` fails the check, any other passes it."""

    async def post(request: Request) -> Response:
        outcome = (await _read(request)).get("outcome", "succeed")
        billing.authenticate(world, request.path_params["id"], outcome != "fail")
        return HTMLResponse("Thank you.")

    return post
