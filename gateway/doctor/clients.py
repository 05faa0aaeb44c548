"""The clients of `gateway doctor`'s checks; a missing one skips the checks that need it."""

from dataclasses import dataclass

import httpx2
import stripe as stripe_sdk

from gateway.doctor.given import Skipped
from gateway.pocketbase import PocketBase
from gateway.pocketbase.api.client import PocketBaseClient
from gateway.stripe_api import KeyCheck


@dataclass(frozen=True, slots=True)
class Clients:
    """HTTP, PocketBase as superuser, and Stripe; none connects before it is used."""

    http: httpx2.AsyncClient
    key_check: KeyCheck
    #: The reason why there is no client of PocketBase.
    missing_superuser: str
    superuser: PocketBase | None = None
    records: PocketBaseClient | None = None
    stripe_client: stripe_sdk.StripeClient | None = None

    @property
    def pocketbase(self) -> PocketBase:
        """PocketBase's client for hook routes and records.

        Raises:
            Skipped: there are no credentials.
        """
        if self.superuser is None:
            raise Skipped(self.missing_superuser)
        return self.superuser

    @property
    def administration(self) -> PocketBaseClient:
        """PocketBase's client for its settings, logs and backups.

        Raises:
            Skipped: there are no credentials.
        """
        if self.records is None:
            raise Skipped(self.missing_superuser)
        return self.records

    @property
    def stripe(self) -> stripe_sdk.StripeClient:
        """Stripe's client.

        Raises:
            Skipped: there is no key.
        """
        if self.stripe_client is None:
            raise Skipped("STRIPE_SECRET_KEY is not set here")
        return self.stripe_client
