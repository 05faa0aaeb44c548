"""FastAPI dependencies for the caller: `CurrentUser`, `OptionalUser`, `Superuser`.

PocketBase verifies the token. Used by a team's endpoints and by the gateway's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials

from gateway.dependencies import OptionalToken, ServicesDep, SuperuserToken, superuser_bearer
from gateway.errors import (
    PocketBaseUnavailable,
    SuperuserNeeded,
    SuperusersOnly,
    Unauthenticated,
)
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.pocketbase.contracts.caller import CALLER
from gateway.pocketbase.contracts.route import Empty
from gateway.pocketbase.hook_call import call_hook

_SUPERUSERS = "_superusers"


@dataclass(frozen=True, slots=True)
class AuthRecord:
    """The present record of a signed-in user or superuser."""

    id: str
    #: The auth collection of the record.
    collection: str
    #: "" for a user without an address.
    email: str
    #: Whether the address is verified.
    verified: bool
    #: Every field that PocketBase returns to the caller.
    record: Mapping[str, Any] = field(default_factory=dict, hash=False)
    #: The caller's token. Don't log it.
    token: str = field(default="", repr=False)

    @property
    def is_superuser(self) -> bool:
        """Whether it is a superuser's."""
        return self.collection == _SUPERUSERS


async def get_optional_user(token: OptionalToken, services: ServicesDep) -> AuthRecord | None:
    """Return the user of the token; None without a token.

    Raises:
        Unauthenticated: the token is not valid, or not a user's.
        PocketBaseUnavailable: PocketBase did not answer.
    """
    if not token:
        return None
    try:
        caller = await _read_caller(services.pocketbase, token)
    except PocketBaseRefused as refused:
        raise Unauthenticated("The PocketBase user token is not valid.") from refused
    users = services.pocketbase.collection_names.of("users")
    if caller.collection != users:
        raise Unauthenticated(f"The token does not belong to the collection {users}.")
    return caller


async def get_current_user(
    user: Annotated[AuthRecord | None, Depends(get_optional_user)],
) -> AuthRecord:
    """Return the user of the token.

    Raises:
        Unauthenticated: there is no token, or it is not valid or not a user's.
        PocketBaseUnavailable: PocketBase did not answer.
    """
    if user is None:
        raise Unauthenticated
    return user


async def get_caller(
    token: OptionalToken,
    services: ServicesDep,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(superuser_bearer)],
) -> AuthRecord | None:
    """Return the user or superuser of the token; None without a token.

    Raises:
        Unauthenticated: the token is not valid.
        PocketBaseUnavailable: PocketBase did not answer.
    """
    if not token:
        return None
    try:
        return await _read_caller(services.pocketbase, token)
    except PocketBaseRefused as refused:
        raise Unauthenticated("The PocketBase token is not valid.") from refused


async def get_superuser(
    token: SuperuserToken,
    services: ServicesDep,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(superuser_bearer)],
) -> AuthRecord:
    """Return the superuser of the token.

    Raises:
        SuperuserNeeded: there is no token, or it is not valid.
        SuperusersOnly: the token is a user's.
        PocketBaseUnavailable: PocketBase did not answer.
    """
    if not token:
        raise SuperuserNeeded
    try:
        caller = await _read_caller(services.pocketbase, token)
    except PocketBaseRefused as refused:
        raise SuperuserNeeded("The PocketBase superuser token is not valid.") from refused
    if not caller.is_superuser:
        raise SuperusersOnly
    return caller


async def _read_caller(pocketbase: PocketBase, token: str) -> AuthRecord:
    """Return the token's record from PocketBase, which alone can verify a token.

    Raises:
        PocketBaseRefused: the token is not valid.
        PocketBaseUnavailable
    """
    try:
        record = (await call_hook(pocketbase, CALLER, Empty(), token=token)).record
    except PocketBaseRefused as refused:
        # Other statuses are not about the token, for example hooks of another release.
        if refused.status in (401, 403):
            raise
        raise PocketBaseUnavailable from refused
    return AuthRecord(
        id=record["id"],
        collection=record["collectionName"],
        email=record.get("email", ""),
        verified=record.get("verified", False),
        record=record,
        token=token,
    )


CurrentUser = Annotated[AuthRecord, Depends(get_current_user)]
OptionalUser = Annotated[AuthRecord | None, Depends(get_optional_user)]
Superuser = Annotated[AuthRecord, Depends(get_superuser)]
