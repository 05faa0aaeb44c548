"""Whether PocketBase is the one that this gateway was built for."""

from gateway.errors import Unavailable
from gateway.pocketbase import PocketBase, PocketBaseRefused

#: What pb_hooks/lib/version.js must say.
HOOKS_VERSION = 16
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
)


class NotReady(Unavailable):
    """PocketBase lacks the gateway's hooks or migrations."""


async def check_pocketbase(pocketbase: PocketBase) -> None:
    """Compare PocketBase's hooks and migrations with those this gateway needs.

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
    if version["hooks"] != HOOKS_VERSION:
        raise NotReady(
            f"PocketBase has version {version['hooks']} of the hooks, {HOOKS_VERSION} is needed."
        )
    missing = [name for name in MIGRATIONS if name not in version["migrations"]]
    if missing:
        raise NotReady(f"PocketBase lacks the migrations {', '.join(missing)}.")
