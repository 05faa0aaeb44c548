"""The short way into POST /checkout, for a request that has nothing wrong with it.

FastAPI reads a request's parts one dependency after another, which takes as long as all that the
gateway then does for a purchase. So what a signed-in user's request usually looks like is read
here; any other is left to FastAPI, which knows what to say about it
(docs/decisions/018-short-ways-of-a-purchase.md).
"""

from collections.abc import Callable, Coroutine
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.checkout.bodies import CheckoutRequest
from gateway.dependencies import TokenRoute, read_token
from gateway.errors import Unauthenticated

_LONGEST_KEY = 255
_JSON = "application/json"


class OrderRoute(TokenRoute):
    """The route of an endpoint that takes what `_read` gives."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route handler."""
        handle_any = super().get_route_handler()

        async def handle(request: Request) -> Response:
            order = await _read(request)
            if order is None:
                return await handle_any(request)
            answer: BaseModel = await self.endpoint(request=request, **order)
            return Response(answer.model_dump_json(), media_type=_JSON)

        return handle


async def _read(request: Request) -> dict[str, Any] | None:
    """Return the endpoint's arguments; None if FastAPI is to have a look."""
    headers = request.headers
    token = read_token(headers)
    if not token and not request.app.state.services.settings.gateway_guest_checkout:
        raise Unauthenticated
    key = headers.get("idempotency-key", "")
    if not token or headers.get("content-type") != _JSON or len(key) > _LONGEST_KEY:
        return None
    try:
        body = CheckoutRequest.model_validate_json(await request.body())
    except (ValidationError, ClientDisconnect):
        return None
    return {
        "body": body,
        "token": token,
        "services": request.app.state.services,
        "idempotency_key": key,
    }
