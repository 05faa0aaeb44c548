"""Tokens of a client: none, a given one, or one that is renewed by a password."""

import asyncio
import binascii
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import SecretStr

from gateway.json_codec import load
from gateway.pocketbase.api.errors import InvalidAnswer, Unauthenticated

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
#: Seconds for which a new token is used at least, however clocks differ.
_MIN_USE_SECONDS = 5.0


class Session(Protocol):
    """Provides the token of each request."""

    async def get_token(self) -> str:
        """Return the token to send, "" for a guest.

        Raises:
            Unauthenticated: the token has expired and can't be renewed.
        """

    async def renew(self, refused: str) -> str | None:
        """Return another token than the refused one, None if there is none."""


class GuestSession:
    """Sends no token: only what the API rules give to guests."""

    async def get_token(self) -> str:
        """Return ""."""
        return ""

    async def renew(self, refused: str) -> str | None:
        """Return None."""
        return None


class TokenSession:
    """Sends a given token until it expires.

    PocketBase treats a token that is not valid as a guest's: a list then has only what guests see,
    without an error. So an expired token is refused here.
    """

    def __init__(self, token: str) -> None:
        """Take a token.

        Raises:
            Unauthenticated: it does not have the form of one.
        """
        if not _TOKEN.fullmatch(token):
            raise Unauthenticated("This is not a PocketBase token.")
        self._token = token
        self._expires = read_expiry(token)

    async def get_token(self) -> str:
        """Return the token.

        Raises:
            Unauthenticated: it has expired.
        """
        if time.time() >= self._expires:
            raise Unauthenticated("The PocketBase token has expired: sign in again.")
        return self._token

    async def renew(self, refused: str) -> str | None:
        """Return None: the password is not known."""
        return None


@dataclass(frozen=True, slots=True)
class Credentials:
    """How a client signs in by itself, by default as a superuser."""

    identity: str
    password: SecretStr | str = field(repr=False)
    collection: str = "_superusers"

    @property
    def secret(self) -> str:
        """The password."""
        password = self.password
        return password if isinstance(password, str) else password.get_secret_value()


class PasswordSession:
    """Signs in when needed, and renews the token half-way through its life.

    When a token is refused all the same, the calls that wait share one sign-in.
    """

    def __init__(self, sign_in: Callable[[], Awaitable[str]]) -> None:
        """Take the function that signs in and returns a token."""
        self._sign_in = sign_in
        self._token = ""
        self._renew_at = 0.0
        self._lock = asyncio.Lock()

    async def get_token(self) -> str:
        """Return a token that is good for a while."""
        # In time: to a list, PocketBase would answer as to a guest, without saying so.
        if time.monotonic() < self._renew_at:
            return self._token
        return await self.renew(self._token)

    async def renew(self, refused: str) -> str:
        """Return a new token, or the one that another call got meanwhile."""
        async with self._lock:
            if self._token and self._token != refused:
                return self._token
            token = await self._sign_in()
            try:
                seconds = read_expiry(token) - time.time()
            except Unauthenticated as error:
                raise InvalidAnswer("PocketBase's answer to the sign-in has no token.") from error
            self._token = token
            self._renew_at = time.monotonic() + max(seconds / 2, _MIN_USE_SECONDS)
            return self._token


def read_expiry(token: str) -> float:
    """Return the Unix time at which a token expires, by its own word.

    Raises:
        Unauthenticated: it is not a token of PocketBase.
    """
    try:
        payload = token.split(".")[1]
        return float(load(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error) as error:
        raise Unauthenticated("This is not a PocketBase token.") from error
