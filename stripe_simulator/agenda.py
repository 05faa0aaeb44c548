"""The table of actions that can fall due: `@on_due("renew")` above a function enters it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stripe_simulator.world import World

Action = Callable[["World", str], None]

ACTIONS: dict[str, Action] = {}


def on_due(name: str) -> Callable[[Action], Action]:
    """Enter a function of (world, object id) under the name that the clock keeps."""

    def enter(action: Action) -> Action:
        ACTIONS[name] = action
        return action

    return enter
