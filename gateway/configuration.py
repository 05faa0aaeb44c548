"""Everything that is read and validated before the first connection is opened."""

from dataclasses import dataclass
from typing import Self

from gateway.mirror.registry import GENERIC, REGISTRY
from gateway.mirror.requirements import require_columns
from gateway.notifications.announcer import Announcer, open_announcer
from gateway.notifications.templates import Templates, open_templates
from gateway.plans import Plans, read_plans
from gateway.rate_limits import RateLimits
from gateway.records.table import Table, load_table
from gateway.settings import Settings
from gateway.vocabulary import COLLECTIONS


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, and what they name."""

    settings: Settings
    rate_limits: RateLimits
    #: The terms on which prices are sold.
    price_terms: Plans
    #: None when there are no transforms.
    transforms: Table | None
    #: None when there are neither mails nor handlers.
    notifications: Announcer | None
    mail_templates: Templates

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read what the settings name.

        Raises:
            SettingsError: a setting is wrong, or names what can't be loaded.
            MirrorIncomplete: a collection lacks a column that its registry entry needs.
        """
        require_columns((*REGISTRY, *GENERIC), COLLECTIONS)
        return cls(
            settings=settings,
            rate_limits=RateLimits(settings),
            price_terms=read_plans(settings.gateway_plans),
            transforms=load_table(settings),
            notifications=open_announcer(settings),
            mail_templates=open_templates(settings),
        )
