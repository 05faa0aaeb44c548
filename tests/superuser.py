"""Tokens of the superuser that the gateway works as."""

import httpx

from gateway.dev.pocketbase import PocketBaseProcess


def log_in_superuser(part: PocketBaseProcess) -> str:
    """Return a new token of this PocketBase's superuser."""
    answer = httpx.post(
        f"{part.url}/api/collections/_superusers/auth-with-password",
        json={"identity": part.superuser_email, "password": part.superuser_password},
        trust_env=False,
    )
    return str(answer.raise_for_status().json()["token"])
