"""Generated secrets, in the forms that PocketBase and the hooks use."""

import secrets
from base64 import b64encode


def generate_password() -> str:
    """Return a password of 32 characters."""
    return secrets.token_urlsafe(24)


def generate_hook_secret() -> str:
    """Return a secret for GATEWAY_HOOK_SECRETS."""
    return f"whsec_{b64encode(secrets.token_hex(24).encode()).decode()}"


def generate_token() -> str:
    """Return a token of 48 characters."""
    return secrets.token_hex(24)
