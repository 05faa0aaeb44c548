"""Clocks: signatures, time-outs and periods compare the time of three machines."""

import time

from gateway.doctor.check import CheckResult, check, failed, ok, warning
from gateway.doctor.context import Context
from gateway.pocketbase.contracts.diagnosis import DIAGNOSIS
from gateway.pocketbase.contracts.route import Empty
from gateway.pocketbase.hook_call import call_hook
from gateway.stripe_api import PROBE, read_object

#: Stripe's signatures are valid for 300 s.
_MAX_SECONDS, _LARGE_SECONDS = 120.0, 5.0


@check("clocks.stripe", "This machine's clock agrees with Stripe's", "stripe")
async def check_stripe(context: Context) -> CheckResult:
    """Compare the Date header of an answer, in whole seconds, with this machine's time."""
    started = time.time()
    snapshot = await read_object(context.clients.stripe, PROBE)
    # `until` is one second after the header's time.
    return _compare((started + time.time()) / 2 - (snapshot.until - 0.5), "Stripe's")


@check("clocks.pocketbase", "This machine's clock agrees with PocketBase's", "pocketbase", "hooks")
async def check_pocketbase(context: Context) -> CheckResult:
    """Compare the times of both machines."""
    started = time.time()
    diagnosis = await call_hook(context.clients.pocketbase, DIAGNOSIS, Empty())
    return _compare((started + time.time()) / 2 - diagnosis.time / 1000, "PocketBase's")


def _compare(skew: float, other: str) -> CheckResult:
    """Return the result for a difference.

    Args:
        skew: this machine's time minus the other's, in seconds.
        other: the other machine's name in the possessive, such as ``Stripe's``.
    """
    found = f"this machine's clock differs by {abs(skew):.0f} s from {other}"
    fix = "Synchronize the clocks of all machines (systemd-timesyncd, chrony)."
    if abs(skew) > _MAX_SECONDS:
        return failed(f"{found}.", fix)
    if abs(skew) > _LARGE_SECONDS:
        return warning(f"{found}.", fix)
    return ok(f"this machine's clock agrees with {other}")
