"""A proxy before PocketBase that holds each commit back until it is let through."""

import asyncio

from tests.deadline import eventually
from tests.webhooks.proxy import COMMIT, Proxy


class HoldingProxy(Proxy):
    """Passes bytes on, but of commits only those that are released."""

    def __init__(self, port: int, target_url: str) -> None:
        super().__init__(port, target_url)
        self._releases: list[asyncio.Event] = []
        self._is_open = False

    @property
    def commits(self) -> int:
        """How many commits have come."""
        return len(self._releases)

    async def hold(self, number: int) -> None:
        """Wait until this many commits have come."""

        async def have_come() -> bool:
            return self.commits >= number

        await eventually(have_come)

    def release(self, place: int) -> None:
        """Let one commit through."""
        self._releases[place].set()

    def open(self) -> None:
        """Let all commits through from now on."""
        self._is_open = True
        for release in self._releases:
            release.set()

    async def may_ask(self, connection: object, data: bytes) -> bool:
        """Wait for the release of a commit."""
        if data.startswith(COMMIT):
            release = asyncio.Event()
            self._releases.append(release)
            if not self._is_open:
                await release.wait()
        return True
