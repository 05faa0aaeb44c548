"""Users of PocketBase, signed up and signed in."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import httpx2

from gateway.dev.stack import Stack
from gateway.pocketbase.api import PocketBaseClient

_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class SignedUpUser:
    """A user with a client of PocketBase and one of the app."""

    id: str
    email: str
    password: str = field(repr=False)
    token: str = field(repr=False)
    #: PocketBase as this user: API rules and transforms apply.
    pb: PocketBaseClient = field(repr=False)
    #: The app as this user; paths such as ``/checkout``.
    http: httpx2.AsyncClient = field(repr=False)


class SignUp:
    """Signs up users; call it as ``await sign_up()``."""

    def __init__(self, stack: Stack, ends: AsyncExitStack) -> None:
        """Sign up at this stack; `ends` closes the clients."""
        self._stack = stack
        self._ends = ends

    async def __call__(self, email: str = "", **fields: Any) -> SignedUpUser:
        """Create a user as a visitor would, and sign in.

        Args:
            email: by default a new one.
            fields: further fields of the record.

        Raises:
            PocketBaseError: PocketBase refuses the sign-up.
        """
        email, password = email or f"{token_hex(6)}@example.com", token_hex(12)
        users = self._stack.plan.collection_names.of("users")
        guest = await self._ends.enter_async_context(PocketBaseClient(self._stack.pocketbase.url))
        await guest.collection(users).create(
            {"email": email, "password": password, "passwordConfirm": password, **fields}
        )
        signed_in = await guest.collection(users).auth_with_password(email, password)
        return SignedUpUser(
            id=signed_in.record["id"],
            email=email,
            password=password,
            token=signed_in.token,
            pb=guest.with_token(signed_in.token),
            http=await self._ends.enter_async_context(open_http(self._stack, signed_in.token)),
        )


def open_http(stack: Stack, token: str = "") -> httpx2.AsyncClient:
    """Return a client of the app, as the user of a token or as a guest."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx2.AsyncClient(
        base_url=stack.gateway.url, headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=False
    )
