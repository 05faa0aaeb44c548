"""Waits for background work: event handlers, effects, jobs, schedules and mails."""

from dataclasses import dataclass

from gateway.dev.stack import Stack
from gateway.pocketbase.api import PocketBaseClient
from gateway.rows import Json
from gateway.testing.waiting import eventually

#: Runs, is due, or waits for another attempt after a failure.
_OPEN = "status = 'running' || (status = 'waiting' && (due <= @now || attempts > 0))"


@dataclass(frozen=True, slots=True)
class WorkDone:
    """Waits until no background work is due or runs: ``await work_done()``."""

    stack: Stack
    superuser_pb: PocketBaseClient

    async def __call__(self, within: float = 10.0) -> None:
        """Wait; work that becomes due later and parked work are not waited for.

        Args:
            within: seconds.

        Raises:
            AssertionError: names the work that is left, with the error of its last attempt.
        """
        left: list[Json] = []

        async def is_idle() -> bool:
            left[:] = await self._list_open()
            return not left

        try:
            await eventually(is_idle, within)
        except AssertionError:
            named = "; ".join(f"{_describe(each)}" for each in left)
            raise AssertionError(f"background work after {within:g} s: {named}") from None

    async def _list_open(self) -> list[Json]:
        names = self.stack.plan.collection_names
        return await self.superuser_pb.collection(names.of("work")).full_list(filter=_OPEN)


def _describe(item: Json) -> str:
    error = f" ({item['error']})" if item["error"] else ""
    return f"{item['handler']} is {item['status']}{error}"
