"""Checks the Stripe key: whether Stripe knows it, its mode, and its permissions."""

from collections.abc import Collection
from dataclasses import dataclass

import stripe

from gateway.errors import StripeKeyRefused
from gateway.setup.errors import SetupError
from gateway.setup.permissions import (
    MissingPermission,
    Mode,
    build_key_url,
    find_missing,
    is_restricted,
    read_mode,
)
from gateway.setup.report import SetupReport
from gateway.stripe_api import PROBE, translate_errors


@dataclass(frozen=True, slots=True)
class KeyAccess:
    """The permissions of the key."""

    mode: Mode
    #: Slugs of permissions that it lacks.
    missing: frozenset[str] = frozenset()

    def allows(self, slugs: Collection[str]) -> bool:
        """Return whether the key has all of these permissions."""
        return not self.missing & set(slugs)


async def check_key(client: stripe.StripeClient, key: str, report: SetupReport) -> KeyAccess:
    """Try the key, and report each permission that it lacks and the purpose of it.

    Raises:
        SetupError: Stripe does not accept the key.
        StripeUnavailable: Stripe does not answer.
    """
    mode = read_mode(key) or "test"
    await _require_known(client)
    missing = await find_missing(client) if is_restricted(key) else []
    for each in missing:
        _report_missing(each, report)
    if any(not each.permission.is_optional for each in missing):
        report.todo(f"Edit the key, or create another: {build_key_url(mode)}")
    elif is_restricted(key):
        report.keep(f"Stripe: the restricted key ({mode} mode) has the permissions that it needs")
    else:
        report.keep(f"Stripe: the secret key ({mode} mode) is valid")
    return KeyAccess(mode, frozenset(each.permission.slug for each in missing))


async def _require_known(client: stripe.StripeClient) -> None:
    try:
        with translate_errors():
            await client.raw_request_async("get", PROBE)
    except StripeKeyRefused as refused:
        if refused.stripe.status == 401:
            raise SetupError(
                "Stripe does not accept STRIPE_SECRET_KEY (401): copy the key again; it may have"
                " been rolled or deleted."
            ) from refused


def _report_missing(missing: MissingPermission, report: SetupReport) -> None:
    named = f" ({', '.join(missing.named)})" if missing.named else ""
    sentence = f"Stripe: the key lacks {missing.permission.describe()}{named}"
    if missing.permission.is_optional:
        report.keep(f"{sentence}; optional")
    else:
        report.todo(sentence)
