"""A proxy before PocketBase that can end the gateway at an exact moment of a commit."""

from collections.abc import Callable

from tests.webhooks.proxy import COMMIT, Proxy


class KillingProxy(Proxy):
    """Passes bytes on; when armed, the next commit is the gateway's last deed."""

    def __init__(self, port: int, target_url: str) -> None:
        super().__init__(port, target_url)
        self._moment = ""
        self._kill: Callable[[], None] | None = None
        self._committing: set[object] = set()

    def arm(self, moment: str, kill: Callable[[], None]) -> None:
        """Call `kill` `before` the next commit reaches PocketBase, or `after` it has answered."""
        self._moment, self._kill = moment, kill

    async def may_ask(self, connection: object, data: bytes) -> bool:
        """End the gateway instead of asking, if that is the moment."""
        if data.startswith(COMMIT) and self._kill:
            self._committing.add(connection)
            if self._moment == "before":
                return self._end_gateway()
        return True

    async def may_answer(self, connection: object, data: bytes) -> bool:
        """End the gateway instead of answering, if that is the moment."""
        return self._end_gateway() if connection in self._committing and self._kill else True

    def _end_gateway(self) -> bool:
        assert self._kill
        self._kill()
        self._kill = None
        return False
