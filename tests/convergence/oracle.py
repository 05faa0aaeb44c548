"""What the mirror must hold after a history: written a second time, from the history alone.

A row shows the last event of its object. Whose it is follows from everything that was ever said,
and from the rows themselves: no order of delivery appears here.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.ids import record_id
from gateway.webhooks.event import parse
from gateway.webhooks.projector import plan
from gateway.writes import Claim

Json = dict[str, Any]
Key = tuple[str, str]

#: From which rows a row without a customer of its own takes its owner: field and collection.
PARENTS = {
    "charges": (("payment", "payments"),),
    "refunds": (("charge", "charges"), ("payment", "payments")),
    "disputes": (("charge", "charges"), ("payment", "payments")),
    "invoice_payments": (("invoice", "invoices"),),
}
UNOWNED = ("products", "prices", "coupons", "promotion_codes", "tax_rates", "customers")


@dataclass
class Oracle:
    """The rows that in-order delivery of a history gives."""

    #: PocketBase users: by id, their verified e-mail address or "".
    users: Mapping[str, str]
    rows: dict[Key, Json] = field(default_factory=dict)
    claims: dict[str, set[Claim]] = field(default_factory=dict)
    _named: dict[Key, str] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Iterable[Json], users: Mapping[str, str]) -> "Oracle":
        """Read a history in order."""
        oracle = cls(users)
        for event in events:
            oracle._take(event)
        oracle._link()
        return oracle

    def _take(self, event: Json) -> None:
        planned = plan(parse(json.dumps(event)))
        assert planned.outcome in ("", "unmirrored", "foreign"), (event["type"], planned.error)
        if planned.state is None:
            return
        row = planned.state.row
        self.rows[row.key] = dict(row.values)
        self._named[row.key] = row.user
        for claim in planned.claims:
            self.claims.setdefault(record_id(claim.customer), set()).add(claim)

    def _link(self) -> None:
        self._by_id = {(kind, record_id(found)): row for (kind, found), row in self.rows.items()}
        owners = {record_id(found): "" for kind, found in self.rows if kind == "customers"}
        owners |= {customer: self._owner(customer) for customer in owners}
        for (kind, found), row in self.rows.items():
            if kind == "customers":
                row["user"] = owners[record_id(found)]
        for user in {*owners.values()} - {""}:
            self._choose_primary(user, [each for each in owners if owners[each] == user])
        for kind, row in ((kind, row) for (kind, _), row in self.rows.items()):
            if kind not in UNOWNED and row.get("customer"):
                row["user"] = owners.get(row["customer"], "")
        # Sessions own payments, payments own charges, and these what comes back.
        for kind in ("checkout_sessions", "payments", "charges", "invoices"):
            self._inherit(kind)
        for kind in {kind for kind, _ in self.rows} - {*UNOWNED}:
            self._inherit(kind)

    def _entries(self, customer: str) -> list[tuple[bool, int, str, bool]]:
        """(by e-mail, since, user, primary) of every claim that counts."""
        verified = {email.lower(): user for user, email in self.users.items() if email}
        found = []
        for claim in self.claims.get(customer, ()):
            user = claim.user or verified.get(claim.email.lower(), "")
            if user in self.users:
                found.append((not claim.user, claim.since, user, claim.primary))
        return sorted(found)

    def _owner(self, customer: str) -> str:
        entries = self._entries(customer)
        return entries[0][2] if entries else ""

    def _choose_primary(self, user: str, customers: list[str]) -> None:
        from_link = {
            row["customer"]
            for (kind, _), row in self.rows.items()
            if kind == "checkout_sessions" and row["payment_link"]
        }
        candidates = []
        for customer in customers:
            times = [e[1] for e in self._entries(customer) if e[2] == user and e[3]]
            row = self._by_id["customers", customer]
            if times and not row["deleted"] and customer not in from_link:
                candidates.append((min(times), customer))
        for customer in customers:
            is_first = bool(candidates) and min(candidates)[1] == customer
            self._by_id["customers", customer]["primary"] = is_first

    def _inherit(self, wanted: str) -> None:
        for (kind, found), row in self.rows.items():
            if kind != wanted or row.get("user"):
                continue
            if row.get("customer") and kind not in ("refunds", "disputes", "invoice_payments"):
                continue
            if kind == "checkout_sessions":
                named = self._named[kind, found]
                row["user"] = named if named in self.users else ""
            elif kind == "payments":
                row["user"] = self._buyer(record_id(found))
            else:
                row |= self._parent(kind, row)

    def _buyer(self, payment: str) -> str:
        return next(
            (
                row["user"]
                for (kind, _), row in self.rows.items()
                if kind == "checkout_sessions" and row["payment"] == payment and row["user"]
            ),
            "",
        )

    def _parent(self, kind: str, row: Json) -> Json:
        nameless = kind in ("refunds", "disputes", "invoice_payments")
        for name, collection in PARENTS.get(kind, ()):
            parent = self._by_id.get((collection, row[name]), {})
            if parent.get("customer") or parent.get("user"):
                user = {"user": parent.get("user", "")}
                return user | {"customer": parent.get("customer", "")} if nameless else user
        return {"customer": "", "user": ""} if nameless else {"user": ""}
