"""The account of the API key."""

from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def retrieve(world: World, params: JSON) -> JSON:
    """GET /v1/account."""
    return {
        "id": f"acct_1{world.ids.account}Sim00",
        "object": "account",
        "business_type": "company",
        "charges_enabled": True,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "email": "owner@example.com",
        "metadata": {},
        "payouts_enabled": True,
        "type": "standard",
    }
