"""Reading of request parameters, the same for every resource."""

from typing import Any

from stripe_simulator.errors import missing_parameter
from stripe_simulator.snapshots import JSON


def required(params: JSON, name: str) -> Any:
    """Return a parameter that must be there."""
    if params.get(name) in (None, ""):
        raise missing_parameter(name)
    return params[name]


def optional(params: JSON, name: str, default: Any = None) -> Any:
    """Return a parameter or a default; the empty string means unset, as at Stripe."""
    value = params.get(name, default)
    return default if value == "" else value


def set_fields(obj: JSON, params: JSON, *names: str) -> None:
    """Copy the parameters that were sent; the empty string unsets."""
    for name in names:
        if name in params:
            obj[name] = None if params[name] == "" else params[name]


def metadata(params: JSON, current: JSON | None = None) -> JSON:
    """Merge metadata: an empty value removes its key, an empty hash removes them all."""
    given = params.get("metadata")
    if given is None:
        return dict(current or {})
    if given == "":
        return {}
    merged = dict(current or {}) | {key: str(value) for key, value in given.items()}
    return {key: value for key, value in merged.items() if value != ""}


def listing(data: list[JSON], url: str, has_more: bool = False) -> JSON:
    """Stripe's list object."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}
