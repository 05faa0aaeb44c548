"""A subscription schedule: changes of a subscription that are planned."""

from gateway.dates import unix_to_column
from gateway.rows import Changes, Json, Row
from gateway.stripe_api.fields import as_dict, as_list, as_text, relation, stripe_id
from gateway.vocabulary import ENDED_SCHEDULE


def project_subscription_schedule(schedule: Json, deleted: bool) -> Changes:
    """A released schedule names its subscription as ``released_subscription``."""
    status = as_text(schedule.get("status"))
    subscription = schedule.get("subscription") or schedule.get("released_subscription")
    values = {
        "customer": relation(schedule.get("customer")),
        "subscription": relation(subscription),
        "status": status,
        "current_phase": as_dict(schedule.get("current_phase")) or None,
        "phases": as_list(schedule.get("phases")),
        "end_behavior": as_text(schedule.get("end_behavior")),
        "released_at": unix_to_column(schedule.get("released_at")),
        "canceled_at": unix_to_column(schedule.get("canceled_at")),
        "completed_at": unix_to_column(schedule.get("completed_at")),
        "metadata": as_dict(schedule.get("metadata")),
        "created": unix_to_column(schedule.get("created")),
    }
    rank = {"not_started": 1, "active": 2}.get(status, 1)
    final = deleted or status in ENDED_SCHEDULE
    return Changes(Row("subscription_schedules", stripe_id(schedule), values, final, rank))
