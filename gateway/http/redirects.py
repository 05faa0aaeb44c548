"""Checks the return URLs of Stripe's pages: only the frontends' origins are allowed. Pure."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from gateway.errors import InvalidRequest

#: The placeholder that Stripe replaces with the session's id.
SESSION_ID = "{CHECKOUT_SESSION_ID}"


def check_redirect(field: str, url: str, origins: Sequence[str]) -> str:
    """Return the URL if its origin is allowed.

    Raises:
        InvalidRequest: the origin is not allowed; ``data`` names the field.
    """
    if not _is_allowed(url, origins):
        reason = {"code": "redirect_not_allowed", "message": "This address is not allowed."}
        raise InvalidRequest(
            f"{field} must start with one of GATEWAY_FRONTEND_ORIGINS.", {field: reason}
        )
    return url


def _is_allowed(url: str, origins: Sequence[str]) -> bool:
    # Browsers drop tabs and newlines and read a backslash as a slash; urlsplit does not.
    if "\\" in url or any(character <= " " or character == "\x7f" for character in url):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or parts.username is not None or not parts.hostname:
        return False
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    origin = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    return _canonical(origin) in {_canonical(allowed) for allowed in origins}


def _canonical(origin: str) -> str:
    default = {"http": ":80", "https": ":443"}.get(origin.split(":", 1)[0], "")
    return origin.lower().removesuffix(default)
