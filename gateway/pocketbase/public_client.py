"""The public client, as the gateway's superuser."""

from gateway.pocketbase.api import Credentials, PocketBaseClient
from gateway.settings import PocketBaseSettings


def open_pocketbase_client(settings: PocketBaseSettings) -> PocketBaseClient:
    """Return a client that signs in as the superuser of the settings when it is first used."""
    credentials = Credentials(
        settings.pocketbase_superuser_email, settings.pocketbase_superuser_password
    )
    return PocketBaseClient(
        settings.pocketbase_url, credentials=credentials, timeout=settings.gateway_upstream_timeout
    )
