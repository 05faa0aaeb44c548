"""Requests through Caddy from several threads while services are replaced."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from tests.delivery import sign
from tests.engine.deployment import Deployment

_THREADS = 4


class Load:
    """Counts answers by status; a failed connection counts as its error's name."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        # Deliveries that Stripe repeats: each answer is 200, and no row changes.
        self._bodies = [json.dumps(event).encode() for event in deployment.list_events()[:50]]
        self.counts: Counter[tuple[str, str]] = Counter()
        self._ends = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send requests and renew subscriptions until the block ends."""
        threads = [threading.Thread(target=self._send, args=(n,)) for n in range(_THREADS)]
        threads.append(threading.Thread(target=self._renew))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ends.set()
            for thread in threads:
                thread.join()

    @property
    def failures(self) -> dict[tuple[str, str], int]:
        """Answers other than 200."""
        return {key: count for key, count in self.counts.items() if key[1] != "200"}

    def _send(self, offset: int) -> None:
        with self._deployment.open_client() as client:
            while not self._ends.wait(0.02):
                body = self._bodies[offset % len(self._bodies)]
                offset += _THREADS
                signature = {"Stripe-Signature": sign(body, self._deployment.webhook_secret)}
                requests = (
                    client.build_request(
                        "POST", "/webhooks/stripe", content=body, headers=signature
                    ),
                    client.build_request("GET", "/health"),
                    client.build_request("GET", "/api/collections/prices/records"),
                )
                for request in requests:
                    self.counts[request.url.path, self._ask(client, request)] += 1

    def _ask(self, client: httpx.Client, request: httpx.Request) -> str:
        try:
            return str(client.send(request).status_code)
        except httpx.HTTPError as error:
            return type(error).__name__

    def _renew(self) -> None:
        while not self._ends.wait(0.3):
            # An upgrade replaces the simulator as well.
            with suppress(httpx.TransportError):
                self._deployment.renew(1)
