"""The gateway's own client of a PocketBase, in the process of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.dev.pocketbase import PocketBaseProcess
from gateway.pocketbase import PocketBase
from gateway.settings import Settings


def build_settings(pocketbase: PocketBaseProcess, **further: Any) -> Settings:
    """Return the settings of a gateway beside this PocketBase; its Stripe key is not valid."""
    return Settings(
        **{
            "pocketbase_url": pocketbase.url,
            "pocketbase_superuser_email": pocketbase.superuser_email,
            "pocketbase_superuser_password": pocketbase.superuser_password,
            "stripe_secret_key": "sk_test_none",
            "stripe_webhook_secrets": "whsec_none",
            "gateway_frontend_origins": "http://localhost:3000",
        }
        | further
    )


@asynccontextmanager
async def open_pocketbase(pocketbase: PocketBaseProcess) -> AsyncIterator[PocketBase]:
    """Open the gateway's client of this PocketBase."""
    async with PocketBase(build_settings(pocketbase)) as client:
        yield client
