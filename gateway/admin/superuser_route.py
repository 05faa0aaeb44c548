"""Routes of superusers."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from gateway.dependencies import get_services, read_token
from gateway.pocketbase.superuser import check_superuser


class SuperuserRoute(APIRoute):
    """Refuses callers who are not superusers before the body is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route handler."""
        handle = super().get_route_handler()

        async def check_and_handle(request: Request) -> Response:
            services = await get_services(request)
            await check_superuser(services.pocketbase, read_token(request.headers))
            return await handle(request)

        return check_and_handle
