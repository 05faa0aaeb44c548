"""Expected entitlements, computed independently from the rows of the mirror.

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
#: States of a refund that did not reach the buyer, and of a dispute that took the money.
REFUND_KEPT = ("failed", "canceled")
TAKEN_BY_A_DISPUTE = ("needs_response", "under_review", "lost")
FOREVER = datetime(9999, 12, 31, 23, 59, 59, 999000, UTC)


@dataclass
class Grants:
    """The purchases that give one payer one feature."""

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


class ExpectedEntitlements:
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
                "refunds",
                "credit_notes",
                "checkout_sessions",
                "entitlement_summaries",
            )
        }
        for row in self._rows["invoices"]:
            row["lines"] = json.loads(row["lines"] or "[]")
        for subscription in self._rows["subscriptions"]:
            self._take_subscription(subscription)
        for session in self._rows["checkout_sessions"]:
            is_paid = session["payment_status"] in ("paid", "no_payment_required")
            if is_paid and session["status"] not in ("open", "expired"):
                self._take_session(session)
        for invoice in self._rows["invoices"]:
            if (invoice["status"], invoice["deleted"]) == ("paid", 0):
                self._take_invoice(invoice)

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

    def _gone(self, payment: str, charge: str = "") -> float:
        """How much of a payment went back, inf for all of it."""
        charges = [
            row
            for row in self._rows["charges"]
            if row["status"] != "failed"
            and (row["payment"] == payment if payment else row["id"] == charge)
        ]
        ids = {row["id"] for row in charges} | {charge} - {""}

        def about(kind: str) -> list[Json]:
            return [
                row
                for row in self._rows[kind]
                if (
                    row["payment"] == payment
                    if row["payment"] and payment
                    else row["charge"] in ids
                )
            ]

        taken = sum(
            row["amount"] for row in about("disputes") if row["status"] in TAKEN_BY_A_DISPUTE
        )
        kept = [row["amount"] for row in about("refunds") if row["status"] in REFUND_KEPT]
        sent = [row["amount"] for row in about("refunds") if row["status"] not in REFUND_KEPT]
        shown = sum(row["amount_refunded"] for row in charges)
        gone = max(sum(sent), shown - sum(kept)) + taken
        whole = sum(row["amount_captured"] or row["amount"] for row in charges)
        if charges and all(row["refunded"] for row in charges) and not kept:
            return inf
        return inf if 0 < whole <= gone else float(gone)

    def _is_returned(self, invoice: Json) -> bool:
        """Whether all that an invoice collected went back."""
        paid = [
            (row["payment"], row["charge"], row["amount_paid"])
            for row in self._rows["invoice_payments"]
            if row["invoice"] == invoice["id"] and row["status"] == "paid"
        ]
        if invoice["payment"] and invoice["payment"] not in {payment for payment, *_ in paid}:
            paid.append((invoice["payment"], "", 0))
        gone = sum(min(self._gone(payment, charge), part or inf) for payment, charge, part in paid)
        gone += sum(
            row["out_of_band_amount"]
            for row in self._rows["credit_notes"]
            if row["invoice"] == invoice["id"] and row["status"] == "issued"
        )
        return bool(0 < invoice["amount_paid"] <= gone)

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
        if not is_running or self._is_refunded(subscription, item):
            return None
        if is_void and not self._find_paying(subscription, item):
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
            begin = item["current_period_start"] or subscription["current_period_start"]
            since = _read(min(open_since, default=begin))
            assert since
            ends.append(self._end_of_past_due(subscription, item, since + GRACE))
        elif period := _read(item["current_period_end"] or subscription["current_period_end"]):
            ends.append(period + LEEWAY)
        return min((end for end in ends if end), default=FOREVER)

    def _end_of_past_due(self, subscription: Json, item: Json, grace: datetime) -> datetime:
        """The end of the grace days, or of a longer period that is paid besides the unpaid one."""
        end = item["current_period_end"]
        shortest = min(each["current_period_end"] for each in json.loads(subscription["items"]))
        held = (item["id"], item["price"])
        paid_for = [
            line["quantity"]
            for invoice in self._rows["invoices"]
            if (invoice["status"], invoice["deleted"]) == ("paid", 0)
            for line in invoice["lines"]
            if (line["subscription_item"], line["price"]) == held
            and line["amount"] >= 0
            and line["period"]["end"] >= end
        ]
        is_paid = any((count or 1) >= (item["quantity"] or 1) for count in paid_for)
        longer = _read(end) if end > shortest and is_paid else None
        return max(grace, longer) if longer else grace

    def _is_refunded(self, subscription: Json, item: Json) -> bool:
        """Whether every line that paid for the item's period was paid, and the money went back."""
        paying = self._find_paying(subscription, item)
        return bool(paying) and all(
            line["amount"] > line["discount"] and self._is_returned(invoice)
            for invoice, line in paying
        )

    def _find_paying(self, subscription: Json, item: Json) -> list[tuple[Json, Json]]:
        """Paid invoices with the lines, free or not, that are for the item's period."""
        start = item["current_period_start"] or subscription["current_period_start"]
        end = item["current_period_end"] or subscription["current_period_end"]
        lines = [
            (invoice, line)
            for invoice in self._rows["invoices"]
            if (invoice["status"], invoice["deleted"]) == ("paid", 0)
            for line in invoice["lines"]
            if line["subscription_item"] == item["id"]
        ]
        covering = [
            (invoice, line)
            for invoice, line in lines
            if not line["proration"]
            and line["period"]["start"] <= start
            and line["period"]["end"] >= end
        ]
        newest = max((line["period"]["start"] for _, line in covering), default="")
        covering = [each for each in covering if each[1]["period"]["start"] == newest]
        soonest = min((line["period"]["end"] for _, line in covering), default="")
        return [each for each in covering if each[1]["period"]["end"] == soonest]

    def _take_session(self, session: Json) -> None:
        for key, text in (json.loads(session["metadata"]) or {}).items():
            if not key.startswith("pocketbase_item_"):
                continue
            price, _, quantity = text.partition(":")
            gone = self._gone(session["payment"]) if session["payment"] else 0
            is_returned = gone == inf or any(
                self._is_returned(row) and not _is_free(row, price)
                for row in self._rows["invoices"]
                if row["id"] == session["invoice"]
            )
            item = {"price": price, "product": ""}
            self._sell(session, item, int(quantity or 1), self._paid_at(session), is_returned)

    def _take_invoice(self, invoice: Json) -> None:
        named = {
            value.partition(":")[0]
            for session in self._rows["checkout_sessions"]
            if session["invoice"] == invoice["id"]
            for key, value in (json.loads(session["metadata"]) or {}).items()
            if key.startswith("pocketbase_item_")
        }
        for line in invoice["lines"]:
            if line["subscription_item"] or line["proration"] or line["amount"] < 0:
                continue
            if line["price"] not in named:
                sold = invoice | {"created": invoice["paid_at"]}
                is_returned = self._is_returned(invoice) and not _is_free(invoice, line["price"])
                self._sell(sold, line, line["quantity"], self._paid_at(sold), is_returned)

    def _sell(self, sale: Json, item: Json, count: int, at: datetime, is_returned: bool) -> None:
        offer, days, kind = self._offer(item)
        if kind != "one_time":
            return
        for feature, limit in offer.items():
            if is_returned or days is None:
                self._add(feature, sale, None if is_returned else FOREVER, limit * count)
            else:
                taken = (at, sale["stripe_id"], timedelta(days=days * count), limit)
                self.found[feature].passes.append(taken)
                self.found[feature].sources.add(sale["stripe_id"])

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


def _is_free(invoice: Json, price: str) -> bool:
    lines = [line for line in invoice["lines"] if line["price"] == price]
    once = [line for line in lines if not line["subscription_item"]]
    return bool(once) and once[0]["amount"] <= once[0]["discount"]


def _metadata(row: Json) -> Json:
    return json.loads(row.get("metadata") or "{}") or {}


def _read(date: str) -> datetime | None:
    return datetime.fromisoformat(date) if date else None


def _write(moment: datetime) -> str:
    return moment.isoformat(" ", "milliseconds").replace("+00:00", "Z")
