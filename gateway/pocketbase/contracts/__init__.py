"""Every route of pb_hooks with the models of its request and its answer, one module per feature.

Decision: docs/decisions/034-contracts-of-hook-routes.md.
"""

from typing import Any

from gateway.pocketbase.contracts import (
    billing,
    buyer,
    caller,
    commit,
    customer_changes,
    database,
    diagnosis,
    effects,
    entitlements,
    events,
    health,
    jobs,
    notifications,
    privacy,
    schedules,
    teams,
    transforms,
    work,
)
from gateway.pocketbase.contracts.route import HookRoute

#: All of them; a test compares them with the routes that the hooks add.
ROUTES: tuple[HookRoute[Any, Any], ...] = (
    commit.COMMIT,
    events.PRUNE,
    customer_changes.READ_CHANGE,
    buyer.BUYER,
    caller.CALLER,
    buyer.PRICES,
    buyer.END_PENDING_CHECKOUT,
    billing.USE_PREVIEW,
    billing.METERED,
    teams.SEATS,
    teams.CHECK_ORGANIZATIONS,
    notifications.SEND_MAIL,
    privacy.BEGIN_ERASURE,
    privacy.ERASE_PART,
    privacy.FIND_TEXTS,
    privacy.FINISH_ERASURE,
    jobs.START_JOB,
    transforms.REGISTER,
    transforms.DRY_RUN,
    effects.REGISTER_EFFECTS,
    entitlements.LAPSE,
    schedules.STORE_TICKS,
    work.EXCHANGE,
    work.DO_PART,
    work.ENQUEUE,
    work.RETRY_WORK,
    work.CANCEL_WORK,
    work.PAUSE_WORK,
    work.PRUNE_WORK,
    work.ADD_LOST_WORK,
    work.WORK_STATUS,
    database.CHECKPOINT,
    health.VERSION,
    health.WRITE_PROBE,
    diagnosis.DIAGNOSIS,
)
