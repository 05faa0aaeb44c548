"""Checks superuser tokens: only superusers may use the admin API."""

from gateway.errors import SuperuserNeeded, SuperusersOnly
from gateway.pocketbase.client import PocketBase, PocketBaseRefused
from gateway.pocketbase.contracts.health import VERSION
from gateway.pocketbase.contracts.route import Empty
from gateway.pocketbase.hook_call import call_hook


async def check_superuser(pocketbase: PocketBase, token: str) -> None:
    """Check a superuser's token by PocketBase.

    Raises:
        SuperuserNeeded: there is no token, or it is not valid.
        SuperusersOnly: it is a user's.
        PocketBaseUnavailable: it could not be asked.
    """
    if not token:
        raise SuperuserNeeded
    try:
        # The route answers superusers only.
        await call_hook(pocketbase, VERSION, Empty(), token=token)
    except PocketBaseRefused as refused:
        if refused.status == 403:
            raise SuperusersOnly from refused
        raise SuperuserNeeded("The PocketBase superuser token is not valid.") from refused
