"""The delay before the next attempt: exponential back-off with jitter. Pure."""

_MAX_SECONDS = 3600
#: The part of a delay that is random, so that items that failed together do not return together.
_JITTER = 0.25


def backoff_seconds(attempts: int, random: float) -> int:
    """Return the whole seconds until the next attempt: 2, 4, 8 and so on, at most an hour.

    Args:
        attempts: attempts so far, at least 1.
        random: from 0 to 1; the delay is shortened by up to a quarter.
    """
    longest: int = min(2 ** min(attempts, 20), _MAX_SECONDS)
    return max(1, round(longest * (1 - _JITTER * random)))
