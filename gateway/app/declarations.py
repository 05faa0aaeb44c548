"""Declarations of an app: transforms, mirrors, columns, handlers, jobs, schedules, commands.

`Gateway` and `Router` share the decorators. A declaration keeps the place where it was made, so
that a mistake is reported with file and line, also when only the start can detect it.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel

from gateway.app.commands import TeamCommand, build_command
from gateway.effects.effect import OPERATIONS as RECORD_OPERATIONS
from gateway.effects.effect import Effect, EffectFunction
from gateway.effects.effect import Operation as RecordOperation
from gateway.jobs.declaration import Job, JobFunction, StartLimits, Who, read_input_model
from gateway.mirror.mirrored_object import MirroredObject
from gateway.mirror.team_column import TeamColumn, TeamColumnFunction
from gateway.mirror.team_object import TeamProjection, describe_team_object
from gateway.notifications.handlers import EventHandler, Handler, Key
from gateway.schedules.cron import Cron
from gateway.schedules.schedule import Missed, Schedule, ScheduleFunction
from gateway.source import Source
from gateway.start_error import InvalidRegistration
from gateway.transforms.model_of import read_model
from gateway.transforms.transform import OnFailure, Operation, Prefetch, Transform, Validate
from gateway.work.team_function import GATEWAY, name_function, require_free_name

_F = TypeVar("_F", bound=Callable[..., Any])
_E = TypeVar("_E", bound=EffectFunction)
_S = TypeVar("_S", bound=ScheduleFunction)
_H = TypeVar("_H", bound=EventHandler)
_J = TypeVar("_J", bound=JobFunction)
_C = TypeVar("_C", bound=TeamColumnFunction)
_P = TypeVar("_P", bound=TeamProjection)


@dataclass(slots=True)
class Declarations:
    """The declarations of one app or router, in the order of its code."""

    transforms: list[Transform] = field(default_factory=list)
    mirrors: list[MirroredObject] = field(default_factory=list)
    columns: list[TeamColumn] = field(default_factory=list)
    handlers: list[Handler] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    commands: list[TeamCommand] = field(default_factory=list)

    def extend(self, other: "Declarations") -> None:
        """Add what another app or router declares."""
        self.transforms += other.transforms
        self.mirrors += other.mirrors
        self.columns += other.columns
        self.handlers += other.handlers
        self.jobs += other.jobs
        self.effects += other.effects
        self.schedules += other.schedules
        self.commands += other.commands


class Declaring:
    """The decorators that `Gateway` and `Router` share."""

    declarations: Declarations

    def transform(
        self,
        collection: str,
        *,
        on: Operation | Collection[Operation],
        model: type[BaseModel] | None = None,
        timeout: float = 3.0,
        on_failure: OnFailure = "closed",
        files: bool = False,
        request: bool = False,
        validate: Validate = "all",
        prefetch: Prefetch | None = None,
        may_come_later: bool = False,
    ) -> Callable[[_F], _F]:
        """Pass every direct write to a collection through a function.

        The function is called with the values as they would be saved and a `TransformContext`, and
        returns the model, a dict of changes, or None for no change. It raises `FieldErrors` or
        `Refused`. A plain function runs on the event loop, so it must not block.

        Args:
            collection: the name of a PocketBase collection that is not a view.
            on: "create", "update", "delete", or several of them.
            model: the Pydantic model that the values are validated into; by default the annotation
                of the function's first parameter, if that is a model.
            timeout: seconds that the function may take, `prefetch` included; at most 60.
            on_failure: "closed" refuses the write if no gateway answers in time, "open" stores it
                unchanged.
            files: whether the contents of new files are sent to the function.
            request: whether `TransformContext.request` is set.
            validate: "changed" ignores the model's errors in fields that an update does not change.
            prefetch: called once per batch before the function; `TransformContext.prefetched` has
                its result.
            may_come_later: whether the gateway may start before the collection exists.

        Raises:
            InvalidRegistration: an argument is wrong.
        """

        def register(function: _F) -> _F:
            source = Source.of(function)
            with _naming(source):
                self.add_transform(
                    Transform(
                        collection=collection,
                        operations=frozenset({on} if isinstance(on, str) else on),
                        function=function,
                        model=model or read_model(function),
                        timeout=timeout,
                        on_failure=on_failure,
                        files=files,
                        request=request,
                        validate=validate,
                        prefetch=prefetch,
                        may_come_later=may_come_later,
                        source=source,
                    )
                )
            return function

        return register

    def add_transform(self, transform: Transform) -> None:
        """Add a transform that is not made by the decorator."""
        source = transform.source or Source.of(transform.function)
        self.declarations.transforms.append(replace(transform, source=source))

    def mirror(
        self,
        object: str,
        *,
        collection: str,
        path: str,
        expand: Collection[str] = (),
        list_params: dict[str, str] | None = None,
    ) -> Callable[[_P], _P]:
        """Mirror one more kind of Stripe object as rows of a collection.

        The function is pure: it is called with the object and whether Stripe has deleted it, and
        returns the row's columns as a dict of JSON values and datetimes, without those that the
        gateway fills: ``id``, the text ``stripe_id`` (with a unique index), the hidden text
        ``version``, the hidden JSON ``stripe_object`` and the date ``created``. The collection
        needs all of these. Rows have no owner: the collection's API rules decide who reads them.

        Args:
            object: Stripe's name of the object, such as "payout".
            collection: the PocketBase collection that has one row per object.
            path: the path of Stripe's list of the objects, such as "/v1/payouts".
            expand: fields that Stripe shows only when asked.
            list_params: further parameters with which `gateway reconcile` lists the objects.

        Raises:
            InvalidRegistration: the object is mirrored already, or an argument is wrong.
        """

        def register(function: _P) -> _P:
            source = Source.of(function)
            with _naming(source):
                self.declarations.mirrors.append(
                    describe_team_object(
                        object, collection, path, function, tuple(expand), list_params, source
                    )
                )
            return function

        return register

    def column(self, object: str, name: str) -> Callable[[_C], _C]:
        """Fill a column of your own in a collection that the gateway mirrors.

        The function is pure: it is called with the Stripe object and returns the column's value as
        PocketBase stores it (`""` for an empty text, `0` for an empty number). If it raises an
        error, the error is logged, the column keeps its value, and the row is stored.

        Args:
            object: Stripe's name of the object, such as "subscription".
            name: the column, which a migration of yours adds to the object's collection.

        Raises:
            InvalidRegistration: the gateway does not mirror the object, or fills the column itself.
        """

        def register(function: _C) -> _C:
            source = Source.of(function)
            self.declarations.columns.append(TeamColumn(object, name, function, source))
            return function

        return register

    def on(
        self,
        *types: str,
        tries: int = 20,
        at_most_once: bool = False,
        key: Key | None = "object",
    ) -> Callable[[_H], _H]:
        """Call a function for events, after the event's rows are stored.

        The function is called with an `Event` and an `EventContext`, at least once: after an
        exception, and if its process ends or it takes longer than 60 seconds, it is called again,
        with growing delays. `EventContext.key` is the same each time: pass it to other services as
        an idempotency key. After `tries` attempts the call is parked until an operator decides
        (`gateway work retry`); `raise GiveUp("…")` parks it at once.

        It returns None, or a batch of PocketBase writes that it has not sent
        (``context.pocketbase.batch()``): these commit together with the fact that the event is
        handled, so exactly once. A plain function runs in a thread. Calls are stored under the
        function's module and name: keep both while calls are pending.

        Args:
            types: types of Stripe events ("invoice.paid", "invoice.*") or names of domain events
                ("purchase.completed", "receipt"; see docs/guides/notifications.md).
            tries: attempts before a call is parked.
            at_most_once: park a call that may have been made, instead of repeating it.
            key: "object" calls the function for the events of one Stripe object one after the
                other, in the order in which they were stored; "customer" for those of one customer;
                None in any order.

        Raises:
            InvalidRegistration: there is no such type or name, or an option is wrong.
        """

        def register(function: _H) -> _H:
            source = Source.of(function)
            with _naming(source):
                self.declarations.handlers.append(
                    Handler.of(
                        function, types, source, tries=tries, at_most_once=at_most_once, key=key
                    )
                )
            return function

        return register

    def job(
        self,
        *,
        name: str = "",
        who: Who = "user",
        per_user: int = 0,
        rate: str = "",
        tries: int = 5,
        timeout: float = 300.0,
        concurrency: int = 4,
    ) -> Callable[[_J], _J]:
        """Run an async function in the background, started by ``POST /jobs/{name}``.

        The function is called with its input, a Pydantic model that is the request's body, and a
        `JobContext`; a function without input takes the context alone. Its return value is
        the job's result (as JSON): a model, dict, list, text, number or None. An exception is a
        failed attempt, which is repeated after a growing pause; `GiveUp` ends the job with a text
        for the user. A later attempt, also after a crash, continues after the finished steps and
        pages.

        Args:
            name: by default the function's name.
            who: its callers: "user" (signed in), "superuser", "anyone" (also guests), or a FastAPI
                dependency that returns the user's `AuthRecord` and raises for others.
            per_user: jobs of this name that may wait or run per user; 0 for no limit. All guests
                count as one user.
            rate: starts per user, such as "10/hour"; at most seven days.
            tries: attempts before the job is parked.
            timeout: seconds of one attempt.
            concurrency: jobs of this name that one process runs at once.

        Raises:
            InvalidRegistration: an argument is wrong, or the function's parameters are.
        """

        def register(function: _J) -> _J:
            source = Source.of(function)
            with _naming(source):
                self.declarations.jobs.append(
                    Job(
                        name=name or getattr(function, "__name__", ""),
                        function=function,
                        model=read_input_model(function),
                        who=who,
                        limits=StartLimits.of(per_user, rate),
                        tries=tries,
                        timeout=timeout,
                        concurrency=concurrency,
                        source=source,
                    )
                )
            return function

        return register

    def after(
        self,
        collection: str,
        on: RecordOperation | Collection[RecordOperation] = RECORD_OPERATIONS,
        *,
        fields: Collection[str] = (),
        tries: int = 20,
        at_most_once: bool = False,
        timeout: float = 60.0,
    ) -> Callable[[_E], _E]:
        """Run a function after changes of a collection's records are committed.

        The work is stored in the transaction of the change, whoever makes it: API, dashboard,
        batch, hooks, the gateway or SQL. The function runs for the changes of one record in their
        order, and at least once per change: use the context's key where a repetition would do harm.
        It is called with a `RecordChange` and a `HandlerContext`, and returns None, or a batch of
        PocketBase writes that it has not sent (``context.pocketbase.batch()``), which commits
        together with the end of the work. An exception is a failed attempt; `GiveUp` parks the work
        at once. A plain function runs in a thread. The work is stored under the function's
        module and name: keep both while work is open.

        Args:
            collection: the name of a PocketBase collection that is not a view; it may be one of the
                gateway's mirrored collections.
            on: "create", "update", "delete", or several of them.
            fields: only updates that change one of these fields count; by default every update
                that changes a field. Creates and deletes always count.
            tries: attempts before the work is parked, at most 1000.
            at_most_once: whether work that may have been done is parked instead of repeated.
            timeout: seconds that one attempt may take.

        Raises:
            InvalidRegistration: an argument is wrong.
        """

        def register(function: _E) -> _E:
            source = Source.of(function)
            with _naming(source):
                self.declarations.effects.append(
                    Effect(
                        function=function,
                        collection=collection,
                        operations=frozenset({on} if isinstance(on, str) else on),
                        fields=frozenset({fields} if isinstance(fields, str) else fields),
                        tries=tries,
                        at_most_once=at_most_once,
                        timeout=timeout,
                        source=source,
                    )
                )
            return function

        return register

    def schedule(
        self,
        cron: str,
        *,
        missed: Missed = "run",
        timezone: str = "UTC",
        name: str | None = None,
        tries: int = 5,
        at_most_once: bool = False,
        timeout: float = 3600.0,
    ) -> Callable[[_S], _S]:
        """Run a function at the ticks of a cron expression, in one gateway of all.

        The function is called with a `Tick` and a `HandlerContext`, and returns None, or a batch of
        PocketBase writes that it has not sent (``context.pocketbase.batch()``), which commits
        together with the end of the run. What it raises makes the attempt fail; `GiveUp` parks the
        run at once. A plain function runs in a thread. Runs of one schedule do not overlap: the
        next one waits, and a later tick replaces a run that still waits.

        Args:
            cron: minute, hour, day of the month, month and day of the week, or an alias such as
                "@daily"; with a sixth field in front, seconds.
            missed: for ticks at which no gateway was running: "run" runs once, for the latest of
                them; "skip" waits for the next tick, and leaves out runs that can't start within a
                minute.
            timezone: a name of the IANA database, such as "Europe/Berlin".
            name: under which runs are stored; by default the function's module and name.
            tries: attempts before a run is parked, at most 1000.
            at_most_once: whether a run that may have been done is parked instead of repeated.
            timeout: seconds that one attempt may take.

        Raises:
            InvalidRegistration: an argument is wrong.
        """

        def register(function: _S) -> _S:
            source = Source.of(function)
            with _naming(source):
                require_free_name(name or "", "the schedule", (GATEWAY,))
                self.declarations.schedules.append(
                    Schedule(
                        name=name or name_function(function),
                        cron=Cron.of(cron, timezone),
                        function=function,
                        missed=missed,
                        tries=tries,
                        at_most_once=at_most_once,
                        timeout=timeout,
                        source=source,
                    )
                )
            return function

        return register

    def command(self, name: str | None = None, **options: Any) -> Callable[[_F], _F]:
        """Add a function to the ``gateway`` command line.

        A parameter annotated with `PocketBase`, `Stripe` or `Settings` receives the client or the
        settings; the others are set by Click's decorators, `click.option` and `click.argument`. The
        function may be async.

        Args:
            name: by default the function's name with hyphens.
            options: what `click.command` accepts.
        """

        def register(function: _F) -> _F:
            source = Source.of(function)
            with _naming(source):
                command = build_command(function, name, options)
                self.declarations.commands.append(TeamCommand(command, source))
            return function

        return register


@contextmanager
def _naming(source: Source) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError) as error:
        raise InvalidRegistration(f"{source}: {error}") from error
