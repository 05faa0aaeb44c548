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
    description="A PocketBase superuser token: of a sign-in to the `_superusers` collection.",
)


async def get_services(connection: HTTPConnection) -> Services:
    """Return the services of the gateway that serves the request.

    Raises:
        RuntimeError: the gateway's lifespan does not run.
    """
    found: Services | None = getattr(connection.app.state, "services", None)
    if found is None:
        raise RuntimeError(
            "The gateway has not started: run the application's lifespan, in tests by"
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


#: A token has three parts (a JWT). PocketBase's SDKs send it alone, others after "Bearer".
_AUTHORIZATION = re.compile(
    r"(?:Bearer +)?([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+) *", re.ASCII | re.IGNORECASE
)
_MAX_TOKEN = 4096


def read_token(headers: Mapping[str, str]) -> str:
    """Return the caller's token, "" where there is none.

    Raises:
        UnreadableToken: the header holds something else than a token of PocketBase's form.
    """
    text = headers.get("authorization", "")
    if not text:
        return ""
    found = _AUTHORIZATION.fullmatch(text) if len(text) <= _MAX_TOKEN else None
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

    #: How it refuses them.
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
    """The same, where the token has to be a superuser's."""

    refusal = SuperuserNeeded


async def _optional_token(
    request: Request,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> str:
    """The token, "" for somebody who sends none; one that can't be read is refused."""
    return read_token(request.headers)


async def _superuser_token(
    request: Request,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(superuser_bearer)],
) -> str:
    """A user's or superuser's token; the endpoint checks it with PocketBase."""
    return read_token(request.headers)


async def _token(token: Annotated[str, Depends(_optional_token)]) -> str:
    if not token:
        raise Unauthenticated
    return token


async def get_user_pocketbase(
    token: Annotated[str, Depends(_optional_token)], pocketbase: PocketBaseDep
) -> PocketBaseClient:
    """Return a client that calls PocketBase as the caller, so that its API rules apply.

    Without a token it calls as a guest. PocketBase treats a token that is not valid as a guest's:
    depend on `CurrentUser` too where the caller must have signed in.

    Raises:
        UnreadableToken: the header holds something else than a token.
    """
    return pocketbase.with_token(token) if token else pocketbase.as_guest()


#: Names the organization that is to pay, in a request's body.
OrganizationId = Annotated[
    str | None,
    Field(
        max_length=100,
        description="The organization that pays, which you must be allowed to update; else you.",
    ),
]

StripeDep = Annotated[stripe.StripeClient, Depends(get_stripe)]
UserPocketBaseDep = Annotated[PocketBaseClient, Depends(get_user_pocketbase)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
Token = Annotated[str, Depends(_token)]
SuperuserToken = Annotated[str, Depends(_superuser_token)]
#: "" where the caller has not signed in.
OptionalToken = Annotated[str, Depends(_optional_token)]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=255,
        description="The same for a request that is sent again: it then acts once, for a day.",
    ),
]
