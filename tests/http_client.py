"""The HTTP client of every test."""

import ssl
from typing import Any

import httpx

# Every address is plain http; the context is what makes a client expensive, so there is one.
_TLS = ssl.create_default_context()


def open_client(**options: Any) -> httpx.AsyncClient:
    """Return a client for the loopback interface; its user closes it."""
    return httpx.AsyncClient(trust_env=False, verify=_TLS, **({"timeout": 20.0} | options))
