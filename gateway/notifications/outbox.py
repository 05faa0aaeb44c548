"""The outbox in PocketBase: claims entries, stores results, lists and retries entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.errors import InvalidRequest
from gateway.notifications.current_facts import CurrentRows
from gateway.pocketbase import PocketBase, filter
from gateway.pocketbase.contracts.notifications import (
    CLAIM,
    COMPLETE,
    RETRY,
    AppInfo,
    ClaimedNotification,
    ClaimRequest,
    CompletionRequest,
    RetryRequest,
)
from gateway.pocketbase.hook_call import call_hook
from gateway.rows import Json

STATUSES = ("waiting", "sending", "sent", "failed", "skipped")


@dataclass(frozen=True, slots=True)
class ClaimedEntry:
    """An outbox entry that this gateway must send, with the current rows."""

    id: str
    event: str
    kind: str
    channel: str
    #: Number of claims, including this one.
    attempts: int
    #: The event's JSON, "" after it was pruned.
    payload: str
    #: The current rows.
    context: CurrentRows
    #: The status of the mail about the same payment attempt, "" if there is none.
    sibling: str
    user: str
    organization: str
    customer: str
    #: The customer's address, else the user's.
    address: str
    app: AppInfo


@dataclass(frozen=True, slots=True)
class EntryResult:
    """The result of a claimed entry."""

    status: Literal["sent", "failed", "skipped", "waiting"]
    reason: str = ""
    #: Seconds until the next attempt, if waiting.
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Outbox:
    """The outbox of one PocketBase."""

    pocketbase: PocketBase

    async def claim(self, channels: Sequence[str]) -> ClaimedEntry | None:
        """Claim the next due entry of these channels, so that no other gateway gets it."""
        found = (
            await call_hook(self.pocketbase, CLAIM, ClaimRequest(channels=tuple(channels)))
        ).claimed
        return _read_claimed(found) if found else None

    async def store_result(self, claimed: ClaimedEntry, result: EntryResult) -> None:
        """Store the result of an entry, unless another gateway has claimed it since."""
        request = CompletionRequest(
            id=claimed.id,
            attempts=claimed.attempts,
            status=result.status,
            reason=result.reason[:2000],
            delay=result.delay,
        )
        await call_hook(self.pocketbase, COMPLETE, request)

    async def retry(self, ids: Sequence[str], hours: int) -> int:
        """Set entries to `waiting`; without ids, all failed ones. Return their number.

        Entries that are sent, waiting, or claimed within the last five minutes are unchanged.

        Args:
            hours: for how long the entries are worth sending.
        """
        request = RetryRequest(ids=tuple(ids), seconds=hours * 3600)
        return (await call_hook(self.pocketbase, RETRY, request)).retried

    async def list(self, status: str, limit: int) -> list[Json]:
        """Return the newest entries, optionally of one status.

        Raises:
            InvalidRequest: the status does not exist.
        """
        if status and status not in STATUSES:
            raise InvalidRequest(f"{status!r} is not one of {', '.join(STATUSES)}.")
        query: dict[str, str | int] = {"perPage": limit, "skipTotal": 1, "sort": "-created,-id"}
        if status:
            query["filter"] = filter("status = {:status}", status=status)
        answer = await self.pocketbase.call(
            "GET", self.pocketbase.records_path("notifications"), query=query
        )
        found: list[Json] = answer["items"]
        return found


def _read_claimed(found: ClaimedNotification) -> ClaimedEntry:
    return ClaimedEntry(
        id=found.id,
        event=found.event,
        kind=found.kind,
        channel=found.channel,
        attempts=found.attempts,
        payload=found.payload,
        context=_read_context(found),
        sibling=found.sibling,
        user=found.user,
        organization=found.organization,
        customer=found.customer,
        address=found.email,
        app=found.app,
    )


def _read_context(found: ClaimedNotification) -> CurrentRows:
    return CurrentRows(
        row=found.subject,
        subscription=found.subscription.model_dump() if found.subscription else None,
        payment=found.payment.model_dump() if found.payment else None,
        refunded=found.refunded,
        is_metered=found.metered,
        has_payment_method=found.has_payment_method,
        locale=found.locale,
    )
