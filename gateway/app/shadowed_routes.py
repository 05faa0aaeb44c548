"""Finds endpoints of a team that the gateway's own hide: ours are matched first."""

import re
from collections.abc import Iterable, Iterator, Sequence

from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, Match

from gateway.source import Source
from gateway.start_error import InvalidRegistration

_PARAMETER = re.compile(r"\{[^}]*\}")
#: Starlette adds it to every GET.
_IMPLIED = frozenset({"HEAD"})


def require_reachable(own: Sequence[BaseRoute], others: Iterable[BaseRoute]) -> None:
    """Check that no endpoint of a team has a path and method of the gateway's own.

    Raises:
        InvalidRegistration: names the endpoint's file and line, its method and path.
    """
    for route, method in _list_endpoints(others):
        path = route.path or ""
        if any(_accepts(each, method, path) for each in own):
            source = Source.of(route.endpoint) if route.endpoint else "An endpoint"
            raise InvalidRegistration(
                f"{source}: {method} {path} is an endpoint of the gateway already, which hides this"
                " one: choose another path"
            )


def _list_endpoints(routes: Iterable[BaseRoute]) -> Iterator[tuple[RouteContext, str]]:
    for route in iter_route_contexts(list(routes)):
        for method in sorted((route.methods or set()) - _IMPLIED):
            yield route, method


def _accepts(route: BaseRoute, method: str, path: str) -> bool:
    sample = _PARAMETER.sub("x", path)
    scope = {"type": "http", "method": method, "path": sample, "root_path": "", "headers": []}
    return route.matches(scope)[0] is Match.FULL
