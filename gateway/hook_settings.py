"""Settings that PocketBase's hooks read and check (pb_hooks/lib/policy.js)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class HookSettings(BaseModel):
    """Environment variables of PocketBase, by their names in lower case."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    gateway_grace_days: float = Field(default=7, ge=0, lt=1000)
    """Days for which a subscription with an unpaid renewal still entitles."""
    gateway_on_refund: Literal["revoke", "keep"] = "revoke"
    """Whether a refund in full, or a dispute, takes away what was bought."""

    gateway_realtime_subscriptions: int = Field(default=100, ge=0, le=999_999)
    """Subscriptions of one connection. 0 allows as many as PocketBase does."""
    gateway_realtime_subscriptions_per_user: int = Field(default=300, ge=0, le=999_999)
    """Subscriptions of all connections of one signed-in user."""
    gateway_realtime_subscriptions_per_address: int = Field(default=1000, ge=0, le=999_999)
    """Subscriptions of all guests at one address. Behind a proxy, set PocketBase's trusted proxy
    headers as well: without them all browsers have the proxy's address."""


#: The names of the environment variables.
HOOK_VARIABLES = tuple(name.upper() for name in HookSettings.model_fields)
