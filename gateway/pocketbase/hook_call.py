"""Calls a route of pb_hooks with its typed request, and returns its typed answer."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel

from gateway.pocketbase.client import PocketBase, PocketBaseRefused
from gateway.pocketbase.contracts.route import NO_ROUTE, Empty, HookRoute

RequestT = TypeVar("RequestT", bound=BaseModel)
ResponseT = TypeVar("ResponseT")


async def call_hook(
    pocketbase: PocketBase,
    route: HookRoute[RequestT, ResponseT],
    request: RequestT | bytes,
    *,
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
    is_commit: bool = False,
) -> ResponseT:
    """Send one request and return the answer.

    Args:
        request: the route's model, or a body that is encoded already.
        token: a user's token; without it the superuser's is used.
        headers: further ones.
        is_commit: use the connections of deliveries.

    Raises:
        PocketBaseRefused: the route refused the request.
        HooksMismatch: the route is missing, or its answer does not fit the contract.
        PocketBaseUnavailable: no connection, no answer in time, or a 5xx.
    """
    query = None if isinstance(request, bytes) or route.method != "GET" else request.model_dump()
    try:
        answer = await pocketbase.call(
            route.method,
            route.path,
            None if route.method == "GET" else _encode(request),
            token=token,
            query=query,
            headers=headers,
            is_commit=is_commit,
        )
    except PocketBaseRefused as refused:
        if refused.status == 404 and not route.may_be_missing:
            raise route.mismatch(NO_ROUTE) from refused
        raise
    return route.read(answer)


def _encode(request: BaseModel | bytes) -> bytes:
    if isinstance(request, bytes):
        return request
    return b"{}" if isinstance(request, Empty) else request.model_dump_json(by_alias=True).encode()
