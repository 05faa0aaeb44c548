"""The delay before the next attempt."""

from gateway.work.backoff import backoff_seconds


def test_delays_double_up_to_an_hour() -> None:
    """2, 4, 8 seconds and so on; never more than an hour, however many attempts."""
    delays = [backoff_seconds(attempts, 0.0) for attempts in (1, 2, 3, 11, 12, 13, 10_000)]
    assert delays == [2, 4, 8, 2048, 3600, 3600, 3600]


def test_jitter_shortens_a_delay_by_a_quarter_at_most() -> None:
    """Items that failed together return at different times."""
    assert [backoff_seconds(12, random) for random in (0.0, 0.5, 1.0)] == [3600, 3150, 2700]
    assert backoff_seconds(1, 1.0) >= 1
