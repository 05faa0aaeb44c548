"""Settings of PocketBase's hooks, which read and check them (pb_hooks/lib/hook_settings.js)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class HookSettings(BaseModel):
    """Environment variables of PocketBase, by lower-case name."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    gateway_grace_days: float = Field(default=7, ge=0, lt=1000)
    """Days for which a subscription with an unpaid renewal keeps its entitlements."""
    gateway_on_refund: Literal["revoke", "keep"] = "revoke"
    """Whether full refunds and disputes end the purchase's entitlements: revoke or keep."""

    gateway_realtime_subscriptions: int = Field(default=100, ge=0, le=999_999)
    """Maximum realtime subscriptions per connection. 0 leaves only PocketBase's own limit."""
    gateway_realtime_subscriptions_per_user: int = Field(default=300, ge=0, le=999_999)
    """Maximum realtime subscriptions per signed-in user, over all connections."""
    gateway_realtime_subscriptions_per_address: int = Field(default=1000, ge=0, le=999_999)
    """Maximum realtime subscriptions of all guests at one IP address. Behind a proxy, set
    PocketBase's trusted proxy headers too: otherwise all browsers have the proxy's address."""


#: The names of the environment variables.
HOOK_VARIABLES = tuple(name.upper() for name in HookSettings.model_fields)
