"""Settings of a simulated Stripe account."""

from dataclasses import dataclass

API_VERSION = "2026-10-28.endive"

#: A version before endive, which the Stripe CLI's fixtures are written for.
OLDER_VERSION = "2026-05-27.dahlia"

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Settings:
    """One account's choices; the defaults are Stripe's."""

    #: Base of the hosted pages' addresses.
    public_url: str = "http://127.0.0.1:12111"
    #: Days from one attempt at an unpaid invoice to the next.
    retry_days: tuple[int, ...] = (3, 5, 7)
    #: Effect on a subscription after the last attempt: cancel, unpaid or past_due.
    after_retries: str = "cancel"
    #: Seconds a renewal invoice stays a draft.
    draft_seconds: int = 3_600
    #: Days before a renewal at which invoice.upcoming is sent.
    upcoming_days: int = 7
    #: Seconds after which an unpaid first invoice or pending update expires.
    incomplete_seconds: int = 23 * 3_600
