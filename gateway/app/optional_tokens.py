"""Shows in the OpenAPI document which operations guests may call: their token is optional.

FastAPI lists the security scheme of an operation that reads a token, also where it needs none, such
as an endpoint with `OptionalUser`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from gateway.admin.superuser_route import SuperuserRoute
from gateway.callers import get_current_user, get_superuser
from gateway.dependencies import SignedInRoute, require_token

#: Dependencies and kinds of routes that refuse guests.
_REQUIRING = frozenset({get_current_user, get_superuser, require_token})
_ROUTES = (SignedInRoute, SuperuserRoute)


def show_optional_tokens(document: dict[str, Any], routes: Sequence[BaseRoute]) -> None:
    """Add OpenAPI's empty requirement to operations that read a token without requiring it."""
    for context in iter_route_contexts(routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or isinstance(route, _ROUTES):
            continue
        if _REQUIRING & set(_list_calls(context.dependant)):
            continue
        item = document["paths"].get(context.path_format, {})
        for method in context.methods or ():
            if "security" in (operation := item.get(method.lower(), {})):
                operation["security"].append({})


def _list_calls(dependant: Dependant) -> Iterator[Callable[..., Any] | None]:
    yield dependant.call
    for each in dependant.dependencies:
        yield from _list_calls(each)
