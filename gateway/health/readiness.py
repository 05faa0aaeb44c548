"""Checks that PocketBase has the hooks, migrations and collections of this release."""

import asyncio
from functools import partial

from gateway.errors import Unavailable
from gateway.health.shared_check import SharedCheck
from gateway.pocketbase import PocketBase, PocketBaseRefused

#: What pb_hooks/lib/version.js must say.
HOOKS_VERSION = 17
#: What pb_migrations/ must have brought.
MIGRATIONS = (
    "1763855999_check_project.js",
    "1763856000_stripe_mirror.js",
    "1763856001_stripe_events.js",
    "1763856002_operations.js",
    "1763856003_entitlements.js",
    "1763856004_transforms.js",
    "1763856005_checkout.js",
    "1763856006_notifications.js",
    "1763856007_metered_prices.js",
    "1763856008_teams.js",
    "1763856011_farewells.js",
    "1763856011_follow_ups.js",
    "1763856020_paid_lines.js",
    "1763856050_ownership.js",
    "1763856060_invitations.js",
    "1763856061_delete_organizations.js",
    "1763856062_owners_index.js",
    "1763856063_billing_contacts.js",
    "1763856070_notification_facts.js",
    "1763856071_price_amounts.js",
    "1763856100_write_probe.js",
    "1763856101_transform_requests.js",
)

#: How many missing files, collections and columns the detail names.
_NAMED = 5

_WRITE_PROBE = "/api/gateway/write-probe"
#: Anyone can call /ready, so not every call causes a write.
_WRITE_HOLDS_SECONDS = 1.0
#: A delivery that takes longer would probably fail as well.
_WRITE_SECONDS = 3.0


class NotReady(Unavailable):
    """PocketBase lacks the gateway's hooks or migrations."""


async def check_pocketbase(pocketbase: PocketBase) -> None:
    """Compare PocketBase's hooks, migrations and collections with those this gateway needs.

    Raises:
        NotReady: they differ; the detail says in what.
        PocketBaseUnavailable: it does not answer, or refuses our superuser.
    """
    try:
        version = await pocketbase.call("GET", "/api/gateway/version")
    except PocketBaseRefused as refused:
        if refused.status == 404:
            raise NotReady("PocketBase runs without the gateway's pb_hooks.") from refused
        raise NotReady("PocketBase refuses the gateway's superuser.") from refused
    if lost := version.get("files"):
        raise NotReady(
            f"PocketBase's hooks are incomplete: {'; '.join(lost[:_NAMED])}. "
            "Deploy the whole folder pb_hooks and restart PocketBase."
        )
    if version["hooks"] != HOOKS_VERSION:
        raise NotReady(
            f"PocketBase has version {version['hooks']} of the hooks, {HOOKS_VERSION} is required"
            " (docs/upgrading.md)."
        )
    missing = [name for name in MIGRATIONS if name not in version["migrations"]]
    if missing:
        raise NotReady(f"PocketBase lacks the migrations {', '.join(missing)}.")
    if absent := version["missing"]:
        raise NotReady(
            f"PocketBase's collections were changed: {'; '.join(absent[:_NAMED])}. "
            "Restore a backup, or rename them back (docs/operations.md)."
        )


async def _check_writes(pocketbase: PocketBase) -> None:
    try:
        async with asyncio.timeout(_WRITE_SECONDS):
            await pocketbase.call("POST", _WRITE_PROBE)
    except PocketBaseRefused as refused:
        raise NotReady(f"PocketBase refuses to write: {refused.status}, {refused}") from refused
    except TimeoutError as error:
        raise NotReady(
            f"PocketBase did not write one row in {_WRITE_SECONDS:g} s: another process (a backup,"
            " a shell) may hold its database."
        ) from error


class PocketBaseReadiness:
    """The checks of PocketBase for /ready."""

    def __init__(self, pocketbase: PocketBase) -> None:
        self._version = SharedCheck(partial(check_pocketbase, pocketbase))
        self._writes = SharedCheck(partial(_check_writes, pocketbase), _WRITE_HOLDS_SECONDS)

    async def check(self) -> None:
        """Check that PocketBase has what this gateway needs, and that it can write.

        Reads go on when the disk is full or another process holds the database.

        Raises:
            NotReady: hooks or migrations are missing, or it refuses to write.
            PocketBaseUnavailable: it does not answer, or can't write; the detail is its own.
        """
        await self._version.run()
        await self._writes.run()
