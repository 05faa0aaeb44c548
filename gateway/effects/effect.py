"""An effect: a function that runs after changes of a collection's records."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from gateway.rows import Json
from gateway.source import Source
from gateway.start_error import InvalidRegistration
from gateway.work.team_function import name_function, require_limits, require_parameters

Operation = Literal["create", "update", "delete"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
#: Prefix of the names under which work is stored, so that a function can handle events as well.
PREFIX = "after:"


@dataclass(frozen=True, slots=True)
class RecordChange:
    """A committed change of one record.

    `record` and `original` leave out passwords, ``stripe_object``, and values of more than 5,000
    characters.
    """

    collection: str
    operation: Operation
    #: The record's id.
    id: str
    #: The record right after the change; for a delete, right before it.
    record: Json
    #: The record right before an update; None for a create or a delete.
    original: Json | None
    #: The record now, complete; None if it is deleted.
    current: Json | None
    #: The id of the user that the record belongs to: a user's own record, the column ``user``, or
    #: the only relation to users; "" if unknown.
    user: str

    @property
    def changed(self) -> frozenset[str]:
        """Return the names of the fields that an update changed, without those left out."""
        if self.original is None:
            return frozenset()
        before, after = self.original, self.record
        return frozenset(
            name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
        )


#: A function with two parameters, the change and the context; a plain one runs in a thread.
EffectFunction = Callable[[RecordChange, Any], Awaitable[Any] | Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """A function, and the changes after which it runs.

    Raises:
        ValueError: an option is not valid; the message names it.
    """

    function: EffectFunction
    #: The name of the collection.
    collection: str
    operations: frozenset[Operation]
    #: Updates that change one of these fields; empty for any field.
    fields: frozenset[str] = frozenset()
    #: Attempts before the work is parked.
    tries: int = 20
    #: Whether work that may have been done is parked instead of repeated.
    at_most_once: bool = False
    #: Seconds that one attempt may take.
    timeout: float = 60.0
    source: Source = field(default=Source("<unknown>", 0), compare=False)

    def __post_init__(self) -> None:
        if not self.collection:
            raise ValueError("an effect needs a collection")
        if self.collection.startswith("_"):
            raise ValueError("collections of PocketBase itself can have no effect")
        if not self.operations or self.operations - set(OPERATIONS):
            raise ValueError(f"operations must be some of {', '.join(OPERATIONS)}")
        if self.fields and "update" not in self.operations:
            raise ValueError('fields choose updates, so on must include "update"')
        require_limits(self.tries, self.timeout)
        require_parameters(self.function, "an effect", "change")

    @property
    def name(self) -> str:
        """Return ``after:module.function``, under which work is stored."""
        return PREFIX + name_function(self.function)


def require_distinct(effects: Iterable[Effect]) -> None:
    """Check that the name and collection of an effect identify it.

    Raises:
        InvalidRegistration: two functions have the same name, or one function has two effects for
            one collection.
    """
    functions: dict[str, Effect] = {}
    seen: dict[tuple[str, str], Effect] = {}
    for effect in effects:
        known = functions.setdefault(effect.name, effect)
        if known.function is not effect.function:
            raise InvalidRegistration(
                f"{effect.source}: the effect at {known.source} is called {effect.name} too; work"
                " is stored under that name, so give one function another"
            )
        known = seen.setdefault((effect.name, effect.collection), effect)
        if known is not effect:
            raise InvalidRegistration(
                f"{effect.source}: the function has an effect for {effect.collection} already, at"
                f" {known.source}: declare all operations and fields in one"
            )
