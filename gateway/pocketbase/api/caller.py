"""Requests as one caller: a transport and the session that provides the tokens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from gateway.pocketbase.api.bodies import Payload
from gateway.pocketbase.api.errors import (
    Forbidden,
    InvalidAnswer,
    MfaRequired,
    PocketBaseError,
    Unauthenticated,
    Unavailable,
)
from gateway.pocketbase.api.paths import Query, build_path
from gateway.pocketbase.api.sessions import Credentials, PasswordSession, Session
from gateway.pocketbase.api.transport import Request, Transport


class Caller:
    """Sends requests with the token of a session."""

    def __init__(self, transport: Transport, session: Session) -> None:
        self.transport = transport
        self.session = session

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Query | None = None,
        payload: Payload | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Send a request; return the decoded JSON, None without a body.

        A token that is refused is renewed once, where the session can.

        Args:
            body: sent as JSON.
            payload: instead of it a record, with files as multipart.
            timeout: seconds, by default the client's.

        Raises:
            PocketBaseError: see `gateway.pocketbase.api.errors`.
        """
        values, files = (payload.values, payload.files) if payload else (body, ())
        request = Request(method, path, query or {}, values, files, timeout=timeout)
        return await self.send(request)

    async def send(self, request: Request) -> Any:
        """Do the same for a request as a value."""
        token = await self.session.get_token()
        try:
            return await self.transport.send(request, token)
        except (Unauthenticated, Forbidden) as error:
            # A token that is not valid makes a guest, and API rules answer 403.
            renewed = None if isinstance(error, MfaRequired) else await self.session.renew(token)
            if renewed is None:
                raise
        return await self.transport.send(request, renewed)

    async def get_object(self, path: str, *, query: Query | None = None) -> dict[str, Any]:
        """Send a GET for a JSON object."""
        return check_object(await self.call("GET", path, query=query))

    @asynccontextmanager
    async def stream(
        self, path: str, *, query: Query | None = None, token: str | None = None
    ) -> AsyncIterator[httpx2.Response]:
        """Send a GET and give the response while its body arrives.

        Args:
            token: instead of the session's.
        """
        used = await self.session.get_token() if token is None else token
        async with self.transport.stream(Request("GET", path, query or {}), used) as response:
            yield response


def check_object(answer: Any) -> dict[str, Any]:
    """Return an answer that is a JSON object.

    Raises:
        InvalidAnswer: it is something else.
    """
    if not isinstance(answer, dict):
        raise InvalidAnswer("PocketBase's answer is not a JSON object.")
    return answer


def check_list(answer: Any) -> list[Any]:
    """Return an answer that is a JSON array.

    Raises:
        InvalidAnswer: it is something else.
    """
    if not isinstance(answer, list):
        raise InvalidAnswer("PocketBase's answer is not a JSON array.")
    return answer


def open_session(transport: Transport, credentials: Credentials) -> PasswordSession:
    """Return a session that signs in by a password."""

    async def sign_in() -> str:
        path = build_path("collections", credentials.collection, "auth-with-password")
        body = {"identity": credentials.identity, "password": credentials.secret}
        try:
            answer = check_object(await transport.send(Request("POST", path, body=body), ""))
        except Unavailable:
            raise
        except PocketBaseError as error:
            raise Unavailable(_describe_refusal(error, credentials.collection)) from error
        token = answer.get("token")
        if not isinstance(token, str):
            raise InvalidAnswer("PocketBase's answer to the sign-in has no token.")
        return token

    return PasswordSession(sign_in)


def _describe_refusal(error: PocketBaseError, collection: str) -> str:
    """Explain why the client itself can't sign in, and what to change."""
    if isinstance(error, MfaRequired):
        return (
            "PocketBase asks for a second factor (MFA), which a program does not have: exempt"
            f" this account in the MFA rule of the collection {collection}."
        )
    if error.status == 400:
        return f"PocketBase refuses the client's own identity or password in {collection}."
    return f"PocketBase refuses to sign the client in: {error.status}, {error.message}"
