"""Who may operate the gateway: PocketBase's superusers."""

from gateway.errors import SuperuserNeeded, SuperusersOnly
from gateway.pocketbase.client import PocketBase, PocketBaseRefused

#: Answers superusers only.
_ROUTE = "/api/gateway/version"


async def check_superuser(pocketbase: PocketBase, token: str) -> None:
    """Let PocketBase check a superuser's token; nobody else can.

    Raises:
        SuperuserNeeded: there is no token, or it is not valid.
        SuperusersOnly: it is a user's.
        PocketBaseUnavailable: it could not be asked.
    """
    if not token:
        raise SuperuserNeeded
    try:
        await pocketbase.call("GET", _ROUTE, token=token)
    except PocketBaseRefused as refused:
        if refused.status == 403:
            raise SuperusersOnly from refused
        raise SuperuserNeeded("The PocketBase superuser token is not valid.") from refused
