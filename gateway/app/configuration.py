"""The configuration of an application: read and validated before any connection is opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from gateway.app.commands import index_commands
from gateway.app.declarations import Declarations
from gateway.effects.effect import Effect
from gateway.effects.effect import require_distinct as require_distinct_effects
from gateway.http.rate_limits import RateLimits
from gateway.jobs.declaration import Job, index_jobs
from gateway.mirror.mirrored_object import MirroredObject
from gateway.mirror.registry import GENERIC, REGISTRY, require_unique
from gateway.mirror.requirements import require_columns
from gateway.mirror.team_column import TeamColumn, require_new_columns
from gateway.notifications.handlers import Handler, index_handlers
from gateway.notifications.router import NotificationRouter, open_router
from gateway.notifications.templates import Templates, open_templates
from gateway.price_terms import TermsFile, read_price_terms
from gateway.schedules.schedule import Schedule
from gateway.schedules.schedule import require_distinct as require_distinct_schedules
from gateway.settings import Settings, SettingsError
from gateway.transforms.table import Table
from gateway.vocabulary import COLLECTIONS


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, the files that they name, and the app's declarations."""

    settings: Settings
    rate_limits: RateLimits
    #: The terms on which prices are sold.
    terms_file: TermsFile
    #: The app's transforms; None leaves the table as it is that PocketBase has.
    transforms: Table | None
    #: The objects that the app mirrors besides ours.
    mirrors: tuple[MirroredObject, ...]
    #: The columns that the app adds to our mirrored objects.
    columns: tuple[TeamColumn, ...]
    handlers: Mapping[str, Handler]
    #: By name.
    jobs: Mapping[str, Job]
    #: None without an app: PocketBase then keeps the effects of the last.
    effects: tuple[Effect, ...] | None
    schedules: tuple[Schedule, ...]
    #: None without mails and handlers.
    notifications: NotificationRouter | None
    mail_templates: Templates

    @classmethod
    def of(cls, settings: Settings, declared: Declarations | None) -> Self:
        """Read what the settings name, and check what the app declares.

        Args:
            declared: None if there is no app: PocketBase then guards the transforms of the last.

        Raises:
            SettingsError: a setting is wrong, or names what can't be loaded.
            InvalidRegistration: two declarations contradict each other.
            MirrorIncomplete: a collection lacks a column that its registry entry needs.
        """
        require_columns((*REGISTRY, *GENERIC), COLLECTIONS)
        found = declared or Declarations()
        require_unique(found.mirrors)
        require_new_columns(found.columns, {each.object: each for each in REGISTRY})
        index_commands(found.commands)
        handlers = index_handlers(found.handlers)
        require_distinct_effects(found.effects)
        require_distinct_schedules(found.schedules)
        return cls(
            settings=settings,
            rate_limits=RateLimits(settings),
            terms_file=read_price_terms(settings.gateway_price_terms),
            transforms=_read_table(settings, found) if declared else None,
            mirrors=tuple(found.mirrors),
            columns=tuple(found.columns),
            handlers=handlers,
            jobs=index_jobs(found.jobs),
            effects=tuple(found.effects) if declared else None,
            schedules=tuple(found.schedules),
            notifications=open_router(settings, handlers),
            mail_templates=open_templates(settings),
        )


def _read_table(settings: Settings, declared: Declarations) -> Table | None:
    """Return the table to register; an empty one too, so that removed transforms end.

    Raises:
        InvalidRegistration: two transforms are for the same write.
        SettingsError: there are transforms, but no secret to sign their calls with.
    """
    table = Table.of(declared.transforms)
    if settings.gateway_hook_secrets:
        return table
    if not table.transforms:
        return None
    first = table.transforms[0]
    raise SettingsError(
        f"GATEWAY_HOOK_SECRETS is not set, and the transform at {first.source} needs it."
    )
