"""Retries: exponential back-off with jitter, by stamina; whoever tries logs the reason.

Not retries, but schedules, stay with their capability: times that PocketBase keeps with a task, a
mail or deferred work, the lease of transforms, and looks at whether another process is done. A
commit is repeated by Stripe, and on a fresh connection at once; the Stripe SDK repeats its own
requests.
"""

from collections.abc import AsyncIterator, Callable

import stamina
from stamina.instrumentation import set_on_retry_hooks

# stamina would log the arguments and the error's text, which may repeat an address.
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
        on: what is tried again; a function may return the seconds to wait.
        first: seconds before the second attempt, doubled before each further one, and up to a
            quarter more, so that many processes spread.
        longest: the most seconds between two attempts.
        attempts: how many, None for no limit; the last error is raised.
    """
    return stamina.retry_context(
        on=on,
        attempts=attempts,
        timeout=None,
        wait_initial=first,
        wait_max=longest,
        wait_jitter=first / 4,
    )
