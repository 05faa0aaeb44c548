"""The two external services: a warehouse and a carrier. Both accept an Idempotency-Key."""

from dataclasses import dataclass
from typing import Any

import httpx2


class ServiceUnavailable(Exception):
    """No answer, or 429 or 5xx: whether the call had an effect is not known; repeat it later."""


class ServiceRefused(Exception):
    """The service refuses the order; a repetition would be refused too."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service at an address."""

    http: httpx2.AsyncClient
    url: str

    async def post(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        """Create something; calls with one key create it once.

        Raises:
            ServiceUnavailable
            ServiceRefused
        """
        try:
            answer = await self.http.post(
                self.url + path, json=body, headers={"Idempotency-Key": key}
            )
        except httpx2.TransportError as error:
            raise ServiceUnavailable(f"{path}: {type(error).__name__}") from error
        if answer.status_code == 429 or answer.status_code >= 500:
            raise ServiceUnavailable(f"{path}: {answer.status_code}")
        if not answer.is_success:
            raise ServiceRefused(str(answer.json().get("reason", answer.status_code)))
        found: dict[str, Any] = answer.json()
        return found
