"""The saga: steps in order, and what undoes them in reverse."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from fulfilment.services import ServiceRefused

#: Does one thing at a service, with an idempotency key of its own.
Action = Callable[[], Awaitable[dict[str, Any]]]


class Step(Protocol):
    """Runs a function once and remembers its result, as `JobContext.step` does."""

    async def __call__(self, name: str, function: Action, /) -> Any:
        """Return the result of the function, or of its earlier call."""


class Saga:
    """Runs steps; once one is refused, undoes the steps before it, the last one first.

    A refusal is remembered like a result. A process that dies therefore continues forwards or
    backwards where it was, and never books again what it has begun to undo.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._undo: list[tuple[str, Action]] = []

    async def do(
        self, name: str, action: Action, undo: Callable[[dict[str, Any]], Action] | None = None
    ) -> dict[str, Any]:
        """Run one step, and return its result.

        Args:
            undo: returns the action that undoes the step, given its result.

        Raises:
            ServiceRefused: the service refuses; the steps before are undone.
            ServiceUnavailable: repeat the saga later.
        """
        found: dict[str, Any] = await self._step(name, lambda: _remember_refusal(action))
        if "refused" in found:
            await self._compensate()
            raise ServiceRefused(found["refused"])
        if undo:
            self._undo.append((f"undo {name}", undo(found["result"])))
        result: dict[str, Any] = found["result"]
        return result

    async def _compensate(self) -> None:
        for name, action in reversed(self._undo):
            await self._step(name, action)


async def _remember_refusal(action: Action) -> dict[str, Any]:
    try:
        return {"result": await action()}
    except ServiceRefused as refused:
        return {"refused": str(refused)}
