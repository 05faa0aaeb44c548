"""The route that stores the ticks of schedules."""

from gateway.pocketbase.contracts.route import Contract, HookRoute
from gateway.pocketbase.contracts.work import NewItem


class DueTick(Contract):
    """The latest tick of a schedule."""

    #: The record id of the schedule's state.
    id: str
    name: str
    cron: str
    timezone: str
    #: A date column.
    tick: str
    #: The run to add if the tick is new; None if it is left out.
    item: NewItem | None = None


class TicksRequest(Contract):
    """The schedules with a tick that may be new."""

    ticks: tuple[DueTick, ...]


class TicksAnswer(Contract):
    """The number of runs that were added."""

    added: int


STORE_TICKS = HookRoute("POST", "/api/gateway/schedules", TicksRequest, TicksAnswer)
