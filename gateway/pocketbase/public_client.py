"""The public client, as the gateway's superuser."""

from gateway.pocketbase.api import Credentials, PocketBaseClient
from gateway.pocketbase.api.sessions import Session
from gateway.settings import PocketBaseSettings


def open_pocketbase_client(
    settings: PocketBaseSettings, session: Session | None = None
) -> PocketBaseClient:
    """Return a client that calls as the superuser of the settings.

    Args:
        session: the tokens of the gateway's own client, so that the process signs in once; by
            default it signs in when it is first used.
    """
    credentials = Credentials(
        settings.pocketbase_superuser_email, settings.pocketbase_superuser_password
    )
    return PocketBaseClient(
        settings.pocketbase_url,
        credentials=credentials,
        session=session,
        timeout=settings.gateway_upstream_timeout,
    )
