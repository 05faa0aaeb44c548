"""What payers may use, written a second time: from the rows of the mirror as they stand.

The rows themselves are held against the oracle, so entitlements converge if they follow from them.
"""

import json
import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

from gateway.ids import record_id

Json = dict[str, Any]

GRACE, LEEWAY = timedelta(days=7), timedelta(days=1)
FOREVER = datetime(9999, 12, 31, 23, 59, 59, 999000, UTC)


@dataclass
class Grants:
    """What gives one payer one feature."""

    ends: list[datetime] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    passes: list[tuple[datetime, str, timedelta, float]] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)

    def row(self) -> Json:
        """The columns of the entitlement."""
        end = datetime.min.replace(tzinfo=UTC)
        for start, _, length, _ in sorted(self.passes):
            end = max(end, start) + length
        ends = [*self.ends, *([end] if self.passes else [])]
        pass_limits = [limit for *_, limit in self.passes] if not self.ends else []
        limit = sum(self.limits) if self.limits else max(pass_limits, default=inf)
        return {
            "active": bool(ends),
            "active_until": _write(max(ends)) if ends else "",
            "limit": 0 if limit == inf or not ends else limit,
            "sources": sorted(self.sources),
        }


class Entitled:
    """The entitlements of one user or organization."""

    def __init__(self, database: sqlite3.Connection, column: str, payer: str) -> None:
        self.found: dict[str, Grants] = defaultdict(Grants)
        self._database = database
        self._rows = {
            name: self._read(name, column, payer)
            for name in (
                "subscriptions",
                "invoices",
                "invoice_payments",
                "charges",
                "disputes",
                "checkout_sessions",
                "entitlement_summaries",
            )
        }
        self._returned = self._find_returned()
        for subscription in self._rows["subscriptions"]:
            self._take_subscription(subscription)
        for session in self._rows["checkout_sessions"]:
            is_paid = session["payment_status"] in ("paid", "no_payment_required")
            if is_paid and session["status"] not in ("open", "expired"):
                self._take_session(session)

    def rows(self) -> dict[str, Json]:
        """The columns of every entitlement, by feature."""
        return {feature: grants.row() for feature, grants in self.found.items()}

    def _read(self, name: str, column: str, payer: str) -> list[Json]:
        query = f"SELECT * FROM {name} WHERE {column} = ?"  # noqa: S608
        return [dict(row) for row in self._database.execute(query, [payer])]

    def _one(self, name: str, key: str) -> Json:
        query = f"SELECT * FROM {name} WHERE id = ?"  # noqa: S608
        row = self._database.execute(query, [key]).fetchone()
        return dict(row) if row else {}

    def _find_returned(self) -> set[str]:
        """Charges, payments and invoices whose money went back."""
        lost = {
            dispute["charge"]
            for dispute in self._rows["disputes"]
            if dispute["status"] in ("needs_response", "under_review", "lost")
        }
        found = set()
        for charge in self._rows["charges"]:
            if charge["refunded"] or charge["id"] in lost:
                found |= {charge["id"], charge["payment"]}
        found -= {""}
        paid = [(row["id"], row["payment"]) for row in self._rows["invoices"]]
        for row in self._rows["invoice_payments"]:
            paid += [(row["invoice"], row["payment"]), (row["invoice"], row["charge"])]
        return found | {invoice for invoice, by in paid if by in found}

    def _take_subscription(self, subscription: Json) -> None:
        keys = [
            key
            for summary in self._rows["entitlement_summaries"]
            if summary["customer"] == subscription["customer"]
            for key in json.loads(summary["lookup_keys"])
        ]
        for item in json.loads(subscription["items"]):
            quantity = 1 if item["quantity"] is None else item["quantity"]
            end = self._end(subscription, item)
            for feature, limit in self._offer(item)[0].items():
                self._add(feature, subscription, end if quantity else None, limit * (quantity or 1))
            for feature in keys:
                self._add(feature, subscription, end, None)

    def _add(self, feature: str, source: Json, end: datetime | None, limit: float | None) -> None:
        grants = self.found[feature]
        if end:
            grants.ends.append(end)
            grants.sources.add(source["stripe_id"])
            grants.limits += [] if limit is None else [limit]

    def _end(self, subscription: Json, item: Json) -> datetime | None:
        pause = json.loads(subscription["pause_collection"] or "null") or {}
        is_running = subscription["status"] in ("active", "trialing", "past_due")
        is_void = pause.get("behavior") == "void"
        if not is_running or self._is_refunded(subscription):
            return None
        if is_void and not self._is_paid(subscription):
            return None
        ends = [_read(subscription["cancel_at"])]
        if is_void:
            ends.append(_read(item["current_period_end"] or subscription["current_period_end"]))
        elif subscription["status"] == "past_due":
            open_since = [
                row["due_date"] or row["created"]
                for row in self._rows["invoices"]
                if row["subscription"] == subscription["id"]
                and row["status"] == "open"
                and not row["deleted"]
            ]
            since = _read(min(open_since, default=subscription["current_period_start"]))
            assert since
            ends.append(since + GRACE)
        elif period := _read(item["current_period_end"] or subscription["current_period_end"]):
            ends.append(period + LEEWAY)
        return min((end for end in ends if end), default=FOREVER)

    def _is_paid(self, subscription: Json) -> bool:
        """Whether an invoice of the current period is paid."""
        start = _read(subscription["current_period_start"])
        made = [
            _read(row["created"])
            for row in self._rows["invoices"]
            if row["subscription"] == subscription["id"]
            and (row["status"], row["deleted"]) == ("paid", 0)
            and row["billing_reason"] != "manual"
        ]
        return any(at and (start is None or at >= start - timedelta(hours=1)) for at in made)

    def _is_refunded(self, subscription: Json) -> bool:
        paying = [
            row
            for row in self._rows["invoices"]
            if row["subscription"] == subscription["id"]
            and (row["status"], row["deleted"]) == ("paid", 0)
            and row["amount_paid"] > 0
            and row["billing_reason"] in ("subscription_create", "subscription_cycle")
        ]
        newest = max(paying, key=lambda row: (row["created"], row["id"]), default=None)
        return newest is not None and newest["id"] in self._returned

    def _take_session(self, session: Json) -> None:
        for key, text in (json.loads(session["metadata"]) or {}).items():
            if not key.startswith("pocketbase_item_"):
                continue
            price, _, quantity = text.partition(":")
            offer, days, kind = self._offer({"price": price, "product": ""})
            if kind != "one_time":
                continue
            count = int(quantity or 1)
            is_returned = bool({session["payment"], session["invoice"]} & self._returned)
            for feature, limit in offer.items():
                if is_returned or days is None:
                    end = None if is_returned else FOREVER
                    self._add(feature, session, end, limit * count)
                else:
                    length = timedelta(days=days * count)
                    taken = (self._paid_at(session), session["stripe_id"], length, limit)
                    self.found[feature].passes.append(taken)
                    self.found[feature].sources.add(session["stripe_id"])

    def _paid_at(self, session: Json) -> datetime:
        times = [
            charge["created"]
            for charge in self._rows["charges"]
            if charge["payment"] == session["payment"] != "" and charge["status"] == "succeeded"
        ]
        paid_at = _read(min(times, default=session["created"]))
        assert paid_at
        return paid_at

    def _offer(self, item: Json) -> tuple[dict[str, float], float | None, str]:
        """Limits by feature, duration in days, and the price's type."""
        price = self._one("prices", record_id(item["price"]))
        product = record_id(item["product"]) if item["product"] else price.get("product", "")
        about = _metadata(self._one("products", product)) | _metadata(price)
        limits = {name.strip(): inf for name in about.get("features", "").split(",")}
        limits |= {
            key.removeprefix("limit_"): float(value)
            for key, value in about.items()
            if key.startswith("limit_")
        }
        limits.pop("", None)
        days = about.get("duration_days")
        return limits, float(days) if days else None, price.get("type", "")


def _metadata(row: Json) -> Json:
    return json.loads(row.get("metadata") or "{}") or {}


def _read(date: str) -> datetime | None:
    return datetime.fromisoformat(date) if date else None


def _write(moment: datetime) -> str:
    return moment.isoformat(" ", "milliseconds").replace("+00:00", "Z")
