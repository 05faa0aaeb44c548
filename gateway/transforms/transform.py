"""A transform: a function that the writes of one collection pass through, and its context."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator
from stripe import StripeClient

from gateway.pocketbase.api import PocketBaseClient
from gateway.rows import Json
from gateway.settings import Settings
from gateway.source import Source

Operation = Literal["create", "update", "delete"]
OnFailure = Literal["closed", "open"]
Validate = Literal["all", "changed"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

#: Annotates a model's optional field: PocketBase's empty dates and relations are "", which
#: `datetime | None` refuses. ``due: Annotated[datetime | None, BLANK_AS_NONE] = None``
BLANK_AS_NONE = BeforeValidator(lambda value: None if value == "" else value)


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file that is not stored yet."""

    #: The name under which PocketBase stores it, with a random suffix (another one in a batch).
    name: str
    #: The client's name of the file.
    original_name: str
    #: Bytes.
    size: int
    #: None unless `Transform.files` is set.
    content: bytes | None = field(default=None, repr=False)


# Only tests omit these; they pass the members that their function needs.
_NONE_GIVEN: Any = None


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """The client's request for a write; see `Transform.request`."""

    #: As sent, before PocketBase casts them and resolves modifiers, under the names that were sent
    #: (``tags+``). Includes names that are not fields, never passwords; an uploaded file is None.
    values: Mapping[str, Any] = field(default_factory=dict)
    #: The client's IP address, as PocketBase sees it; of a write through /records, as the gateway
    #: sees it.
    address: str = ""
    #: The headers of GATEWAY_TRANSFORM_HEADERS, by lower-case name.
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TransformContext:
    """The context of a write: record, user, files and clients.

    ``TransformContext("create", "posts")`` is enough to call a transform in a test.
    """

    operation: Operation
    collection: str
    #: The stored record with its hidden fields, without secrets; None for a create.
    original: Json | None = None
    #: The signed-in record with its ``collectionName``, without hidden fields; None for a guest.
    user: Json | None = None
    #: The fields that the client sent.
    sent: frozenset[str] = frozenset()
    #: New files by field.
    files: Mapping[str, tuple[File, ...]] = field(default_factory=dict)
    #: Calls PocketBase as the gateway's superuser.
    pocketbase: PocketBaseClient = _NONE_GIVEN
    stripe: StripeClient = _NONE_GIVEN
    settings: Settings = _NONE_GIVEN
    #: The mapping that the app's lifespan yields.
    state: Mapping[str, Any] = field(default_factory=dict)
    #: The request behind the write, for a transform with `request=True`.
    request: RequestInfo | None = None
    #: The result of `Transform.prefetch` for this batch.
    prefetched: Any = None


@dataclass(frozen=True, slots=True)
class Write:
    """One of the writes that `Transform.prefetch` receives."""

    #: The function's first argument: the model, or a dict without one.
    incoming: Any
    context: TransformContext


Returned = BaseModel | Mapping[str, Any] | None
#: ``def prepare_post(post: PostInput, context: TransformContext) -> PostInput``, or ``async def``.
#: A plain function runs on the event loop, so it must be fast; a function that waits must be async.
Function = Callable[[Any, TransformContext], Returned | Awaitable[Returned]]
#: ``async def find_authors(writes: Sequence[Write]) -> dict[str, Author]``, for example.
Prefetch = Callable[[Sequence[Write]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Transform:
    """A function that every direct write to a collection passes through.

    The function receives the values as they would be saved, and returns the model, a dict of
    changes, or None for no change. It raises `FieldErrors` or `Refused`.

    Raises:
        ValueError: an option is not valid; the message names it.
    """

    #: The name of the collection.
    collection: str
    operations: frozenset[Operation] | set[Operation]
    function: Function
    #: The Pydantic model of the first argument; without it the function receives a dict.
    model: type[BaseModel] | None = None
    #: Seconds that the function may take, `prefetch` included.
    timeout: float = 3.0
    #: "closed" refuses the write if no gateway answers in time, "open" stores it unchanged.
    on_failure: OnFailure = "closed"
    #: Whether `File.content` is set.
    files: bool = False
    #: Whether `TransformContext.request` is set: the values as sent, and the client.
    request: bool = False
    #: "changed": an update ignores the model's errors in fields that it does not change, so that
    #: rows older than a rule can still be edited.
    validate: Validate = "all"
    #: Called once per batch, before the function is called for each write: one query for all.
    #: `TransformContext.prefetched` has its result. An error in it fails all of these writes, also
    #: `FieldErrors` and `Refused`.
    prefetch: Prefetch | None = None
    #: Whether the gateway may be ready before the collection exists. False detects misspelt names,
    #: which would let every write pass.
    may_come_later: bool = False
    #: The file and line of the declaration, None if unknown.
    source: Source | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not self.collection:
            raise ValueError("a transform needs a collection")
        if self.collection.startswith("_"):
            raise ValueError(f"{self}: collections of PocketBase itself can have no transform")
        unknown = set(self.operations) - set(OPERATIONS)
        if unknown or not self.operations:
            raise ValueError(f"{self}: operations must be some of {', '.join(OPERATIONS)}")
        if "delete" in self.operations and self.model is not None:
            raise ValueError(f"{self}: a delete has no values, so its transform can't have a model")
        if not (math.isfinite(self.timeout) and 0 < self.timeout <= 60):
            raise ValueError(f"{self}: timeout must be more than 0 and at most 60 seconds")
        if self.on_failure not in get_args(OnFailure):
            raise ValueError(f"{self}: on_failure must be closed or open")
        if self.validate not in get_args(Validate):
            raise ValueError(f"{self}: validate must be all or changed")
        object.__setattr__(self, "operations", frozenset(self.operations))

    def __str__(self) -> str:
        """Return the collection and the function's name."""
        return f"{self.collection} ({getattr(self.function, '__name__', 'function')})"
