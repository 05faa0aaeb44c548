"""Retries with exponential back-off and jitter, by stamina; the caller logs the reason.

Schedules are not retries and stay with their capability: the due times of the queue's items in
PocketBase, the lease of transforms, and polling for another process. Stripe repeats a delivery that
was not committed; the Stripe SDK retries its own requests.
"""

from collections.abc import AsyncIterator, Callable

import stamina
from stamina.instrumentation import set_on_retry_hooks

# stamina would log the arguments and the error's text, which may contain an address.
set_on_retry_hooks([])


def retrying(
    on: type[Exception] | Callable[[Exception], bool | float],
    *,
    first: float,
    longest: float,
    attempts: int | None = None,
) -> AsyncIterator[stamina.Attempt]:
    """Yield attempts: ``async for attempt in retrying(…): with attempt: …``.

    Args:
        on: the error to retry; a function may return the seconds to wait.
        first: seconds before the second attempt, doubled before each further one; jitter adds up
            to a quarter of `first`.
        longest: maximum seconds between two attempts, without jitter.
        attempts: maximum number of attempts, None for no limit; then the last error is raised.
    """
    return stamina.retry_context(
        on=on,
        attempts=attempts,
        timeout=None,
        wait_initial=first,
        wait_max=longest,
        wait_jitter=first / 4,
    )
