"""The outbox in PocketBase: claimed, settled, listed, sent again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.errors import InvalidRequest
from gateway.notifications.current_facts import CurrentRows
from gateway.pocketbase import PocketBase, filter
from gateway.pocketbase.contracts.notifications import (
    CLAIM,
    RETRY,
    SETTLE,
    AppInfo,
    ClaimedNotification,
    ClaimRequest,
    RetryRequest,
    SettleRequest,
)
from gateway.pocketbase.hook_call import call_hook
from gateway.rows import Json

STATUSES = ("waiting", "sending", "sent", "failed", "skipped")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notification that is ours to send, with what PocketBase knows."""

    id: str
    event: str
    kind: str
    channel: str
    #: How often it was claimed, this time included.
    attempts: int
    #: The event's JSON, "" once it is pruned.
    payload: str
    #: The rows that it is about.
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
class Settled:
    """What became of one."""

    status: Literal["sent", "failed", "skipped", "waiting"]
    reason: str = ""
    #: Seconds after which one that waits is tried again.
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Outbox:
    """The rows of the outbox."""

    pocketbase: PocketBase

    async def claim(self, channels: Sequence[str]) -> Claimed | None:
        """Take the next one that waits, if there is one: no other gateway gets it."""
        found = (
            await call_hook(self.pocketbase, CLAIM, ClaimRequest(channels=tuple(channels)))
        ).claimed
        return _read_claimed(found) if found else None

    async def settle(self, claimed: Claimed, settled: Settled) -> None:
        """Note what became of one; nothing if somebody else has it by now."""
        asked = SettleRequest(
            id=claimed.id,
            attempts=claimed.attempts,
            status=settled.status,
            reason=settled.reason[:2000],
            delay=settled.delay,
        )
        await call_hook(self.pocketbase, SETTLE, asked)

    async def retry(self, ids: Sequence[str], hours: int) -> int:
        """Let these be sent again, or all that failed; return how many there are.

        Left alone: what is sent, what waits anyway, and what was claimed in the last five minutes.
        """
        asked = RetryRequest(ids=tuple(ids), seconds=hours * 3600)
        return (await call_hook(self.pocketbase, RETRY, asked)).retried

    async def list(self, status: str, limit: int) -> list[Json]:
        """Return the newest ones, all or of one status.

        Raises:
            InvalidRequest: there is no such status.
        """
        if status and status not in STATUSES:
            raise InvalidRequest(f"{status!r} is no status: {', '.join(STATUSES)}.")
        query: dict[str, str | int] = {"perPage": limit, "skipTotal": 1, "sort": "-created,-id"}
        if status:
            query["filter"] = filter("status = {:status}", status=status)
        answer = await self.pocketbase.call(
            "GET", self.pocketbase.records_path("notifications"), query=query
        )
        found: list[Json] = answer["items"]
        return found


def _read_claimed(found: ClaimedNotification) -> Claimed:
    return Claimed(
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
