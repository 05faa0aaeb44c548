"""FastAPI dependencies: the shared services, and the caller's token."""

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any

import stripe
from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field
from starlette.requests import HTTPConnection

from gateway.errors import SuperuserNeeded, Unauthenticated, UnreadableToken
from gateway.pocketbase.api import PocketBaseClient
from gateway.services import Services
from gateway.settings import Settings

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="userToken",
    description="A PocketBase user token: `pb.authStore.token` after a sign-in.",
)

superuser_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="superuserToken",
    description="A PocketBase superuser token: from a sign-in to the `_superusers` collection.",
)


async def get_services(connection: HTTPConnection) -> Services:
    """Return the services of the gateway that serves the request.

    Raises:
        RuntimeError: the lifespan is not running.
    """
    found: Services | None = getattr(connection.app.state, "services", None)
    if found is None:
        raise RuntimeError(
            "The gateway has not started: run the application's lifespan, in tests with"
            " `with TestClient(app)`."
        )
    return found


ServicesDep = Annotated[Services, Depends(get_services)]


async def get_pocketbase(services: ServicesDep) -> PocketBaseClient:
    """Return the client that calls PocketBase as the gateway's superuser."""
    return services.records


PocketBaseDep = Annotated[PocketBaseClient, Depends(get_pocketbase)]


async def get_stripe(services: ServicesDep) -> stripe.StripeClient:
    """Return the client of Stripe's SDK, with the gateway's key and connections."""
    return services.stripe


async def get_settings(services: ServicesDep) -> Settings:
    """Return the settings: an instance of the class that `Gateway` was given."""
    return services.settings


#: A JWT. PocketBase's SDKs send it alone, other clients after "Bearer".
_AUTHORIZATION = re.compile(
    r"(?:Bearer +)?([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+) *", re.ASCII | re.IGNORECASE
)
_MAX_TOKEN_CHARACTERS = 4096


def read_token(headers: Mapping[str, str]) -> str:
    """Return the caller's token, "" without one.

    Raises:
        UnreadableToken: the header is not a PocketBase token.
    """
    text = headers.get("authorization", "")
    if not text:
        return ""
    found = _AUTHORIZATION.fullmatch(text) if len(text) <= _MAX_TOKEN_CHARACTERS else None
    if not found:
        raise UnreadableToken
    return found[1]


class TokenRoute(APIRoute):
    """Refuses malformed tokens before the body is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route handler."""
        handle = super().get_route_handler()

        async def check_and_handle(request: Request) -> Response:
            self.check(request)
            return await handle(request)

        return check_and_handle

    def check(self, request: Request) -> None:
        """Refuse the request by its headers.

        Raises:
            UnreadableToken
        """
        read_token(request.headers)


class SignedInRoute(TokenRoute):
    """Also refuses callers without a token before the body is read."""

    #: The error for callers without a token.
    refusal: type[Unauthenticated] = Unauthenticated

    def check(self, request: Request) -> None:
        """See `TokenRoute`."""
        if not read_token(request.headers):
            raise self.refusal


class BuyerRoute(TokenRoute):
    """Also refuses callers without a token before the body is read, unless guests may buy."""

    def check(self, request: Request) -> None:
        """See `TokenRoute`."""
        settings: Settings = request.app.state.services.settings
        if not read_token(request.headers) and not settings.gateway_guest_checkout:
            raise Unauthenticated


class OperatorRoute(SignedInRoute):
    """The same for endpoints that need a superuser's token."""

    refusal = SuperuserNeeded


async def _optional_token(
    request: Request,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> str:
    """Return the token, "" without one."""
    return read_token(request.headers)


async def _superuser_token(
    request: Request,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(superuser_bearer)],
) -> str:
    """Return a user's or superuser's token; the endpoint verifies it at PocketBase."""
    return read_token(request.headers)


async def require_token(token: Annotated[str, Depends(_optional_token)]) -> str:
    """Return the token.

    Raises:
        Unauthenticated: there is none.
    """
    if not token:
        raise Unauthenticated
    return token


async def get_user_pocketbase(
    token: Annotated[str, Depends(_optional_token)], pocketbase: PocketBaseDep
) -> PocketBaseClient:
    """Return a client that calls PocketBase as the caller, so that its API rules apply.

    Without a token it calls as a guest. PocketBase treats an invalid token as a guest's: depend on
    `CurrentUser` too if the caller must be signed in.

    Raises:
        UnreadableToken: the header is not a PocketBase token.
    """
    return pocketbase.with_token(token) if token else pocketbase.as_guest()


#: The paying organization in a request's body.
OrganizationId = Annotated[
    str | None,
    Field(
        max_length=100,
        description=(
            "The organization that pays; you must be allowed to update it. By default you pay."
        ),
    ),
]

StripeDep = Annotated[stripe.StripeClient, Depends(get_stripe)]
UserPocketBaseDep = Annotated[PocketBaseClient, Depends(get_user_pocketbase)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
Token = Annotated[str, Depends(require_token)]
SuperuserToken = Annotated[str, Depends(_superuser_token)]
#: "" if the caller is not signed in.
OptionalToken = Annotated[str, Depends(_optional_token)]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=255,
        description="Repeat it with a retried request: within a day, the request acts once.",
    ),
]
