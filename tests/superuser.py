"""Tokens of the superuser that the gateway works as."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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


@contextmanager
def open_superuser_client(part: PocketBaseProcess, path: str = "") -> Iterator[httpx.Client]:
    """Open a client of PocketBase as its superuser; `path` begins every path."""
    headers = {"Authorization": log_in_superuser(part)}
    url = f"{part.url}{path}"
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=20) as client:
        yield client


def create_collections(client: httpx.Client, *collections: dict[str, Any]) -> None:
    """Create collections, of type base unless they name another."""
    for collection in collections:
        answer = client.post("/api/collections", json={"type": "base"} | collection)
        assert answer.is_success, answer.text


def allow_batches(client: httpx.Client, timeout: int = 10) -> None:
    """Turn on PocketBase's batch API, which is off by default; the timeout is in seconds."""
    batch = {"batch": {"enabled": True, "maxRequests": 60, "timeout": timeout}}
    client.patch("/api/settings", json=batch).raise_for_status()
