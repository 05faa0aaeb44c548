"""How long each kind of data is kept. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from gateway.dates import to_column
from gateway.settings import PocketBaseSettings

#: Runs of reconcile: the next one reads back to the last complete run, and at most 30 days.
_RECONCILIATION_DAYS = 365


@dataclass(frozen=True, slots=True)
class Periods:
    """Days after which data is deleted; 0 for never."""

    payloads: int
    events: int
    work: int
    parked: int
    exports: int
    reconciliations: int = _RECONCILIATION_DAYS

    @classmethod
    def of(cls, settings: PocketBaseSettings) -> Self:
        """Return the periods of the settings."""
        return cls(
            payloads=settings.gateway_keep_payload_days,
            events=settings.gateway_keep_event_days,
            work=settings.gateway_keep_work_days,
            parked=settings.gateway_keep_parked_days,
            exports=settings.gateway_keep_export_days,
        )


def find_end(now: datetime, days: int) -> str:
    """Return the date column before which data is deleted; "" for never."""
    return to_column(now - timedelta(days=days)) if days else ""
