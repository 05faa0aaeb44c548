"""Expected rows after a history, computed independently from the history alone.

A row shows the last event of its object. Its owner follows from all ownership claims of the history
and from the rows themselves: no order of delivery appears here.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.ids import record_id
from gateway.mirror.event_change import decide, project
from gateway.rows import ORGANIZATION_METADATA, USER_METADATA, OwnershipClaim
from gateway.stripe_api.event import parse
from stripe_simulator.world import World

Json = dict[str, Any]
Key = tuple[str, str]

#: From which rows a row without a customer of its own takes its owner: field and collection.
PARENTS = {
    "charges": (("payment", "payments"),),
    "refunds": (("charge", "charges"), ("payment", "payments")),
    "disputes": (("charge", "charges"), ("payment", "payments")),
    "invoice_payments": (("invoice", "invoices"),),
}
#: How a payer that is an organization is written.
ORGANIZATION = "organizations/"
FOREVER = "9999"
UNOWNED = (
    "products",
    "prices",
    "coupons",
    "promotion_codes",
    "tax_rates",
    "customers",
    "stripe_objects",
)


@dataclass
class ExpectedRows:
    """The rows that in-order delivery of a history gives."""

    #: PocketBase users: by id, their verified e-mail address or "".
    users: Mapping[str, str]
    #: Ids of organizations.
    organizations: frozenset[str] = frozenset()
    rows: dict[Key, Json] = field(default_factory=dict)
    claims: dict[str, set[OwnershipClaim]] = field(default_factory=dict)
    _named: dict[Key, str] = field(default_factory=dict)
    #: Objects whose last event lacks entries of nested lists: by key, ``object`` and id.
    _truncated: dict[Key, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        events: Iterable[Json],
        users: Mapping[str, str],
        organizations: Iterable[str] = (),
        world: World | None = None,
    ) -> "ExpectedRows":
        """Read a history in order; what events don't show in full, in the world."""
        expected_rows = cls(users, frozenset(organizations))
        for event in events:
            expected_rows._take(event)
        for key, (kind, found) in expected_rows._truncated.items():
            if item := world and world.find(kind, found):
                expected_rows.rows[key] |= project(item).row.values
        expected_rows._link()
        return expected_rows

    def _take(self, event: Json) -> None:
        planned = decide(parse(json.dumps(event)))
        known = ("", "ignored", "connect", "thin")
        assert planned.outcome in known, (event["type"], planned.error)
        state = planned.state or planned.truncated
        if state is None:
            return
        row = state.row
        self._truncated.pop(row.key, None)
        if planned.truncated:
            self._truncated[row.key] = (event["data"]["object"]["object"], row.stripe_id)
        self.rows[row.key] = dict(row.values)
        if not planned.truncated:
            self.rows[row.key]["stripe_object"] = _without_secrets(event["data"]["object"])
        self._named[row.key] = row.user
        for claim in planned.claims:
            self.claims.setdefault(record_id(claim.customer), set()).add(claim)

    def _link(self) -> None:
        self._by_id = {(kind, record_id(found)): row for (kind, found), row in self.rows.items()}
        owners = {record_id(found): "" for kind, found in self.rows if kind == "customers"}
        owners |= {customer: self._owner(customer) for customer in owners}
        for (kind, found), row in self.rows.items():
            if kind == "customers":
                row |= _columns(owners[record_id(found)])
        for payer in {*owners.values()} - {""}:
            self._choose_primary(payer, [each for each in owners if owners[each] == payer])
        for kind, row in ((kind, row) for (kind, _), row in self.rows.items()):
            if kind not in UNOWNED and row.get("customer"):
                row |= _columns(owners.get(row["customer"], ""))
        # Sessions own payments, payments own charges, and these what comes back.
        for kind in ("checkout_sessions", "payments", "charges", "invoices"):
            self._inherit(kind)
        for kind in {kind for kind, _ in self.rows} - {*UNOWNED}:
            self._inherit(kind)

    def _entries(self, customer: str) -> list[tuple[bool, int, str, bool]]:
        """(by e-mail, since, payer, primary) of every claim that counts; the smallest holds."""
        verified = {email.lower(): user for user, email in self.users.items() if email}
        found = []
        for claim in self.claims.get(customer, ()):
            named = f"{ORGANIZATION}{claim.organization}" if claim.organization else claim.user
            payer = named or verified.get(claim.email.lower(), "")
            if self._exists(payer):
                found.append((not named, claim.since, payer, claim.primary))
        return sorted(found)

    def _exists(self, payer: str) -> bool:
        organization = payer.removeprefix(ORGANIZATION)
        is_user = organization == payer
        return payer in self.users if is_user else organization in self.organizations

    def _owner(self, customer: str) -> str:
        """The payer in the customer's own metadata as it is now, else the first claim's."""
        metadata = self._by_id["customers", customer]["metadata"] or {}
        organization, user = metadata.get(ORGANIZATION_METADATA), metadata.get(USER_METADATA)
        named = f"{ORGANIZATION}{organization}" if organization else user or ""
        if self._exists(named):
            return named
        entries = self._entries(customer)
        return entries[0][2] if entries else ""

    def _choose_primary(self, payer: str, customers: list[str]) -> None:
        from_link = {
            row["customer"]
            for (kind, _), row in self.rows.items()
            if kind == "checkout_sessions" and row["payment_link"]
        }
        candidates = []
        for customer in customers:
            is_claimed = any(e[2] == payer and e[3] for e in self._entries(customer))
            row = self._by_id["customers", customer]
            if is_claimed and not row["deleted"] and customer not in from_link:
                since = self._running_since(customer)
                candidates.append(((not since, since, row["created"]), customer))
        for customer in customers:
            is_first = bool(candidates) and min(candidates)[1] == customer
            self._by_id["customers", customer]["primary"] = is_first

    def _running_since(self, customer: str) -> str:
        """When the present time with running subscriptions began, "" if none runs.

        Walks back through the second before, for as long as any subscription ran then.
        """
        spans = [
            (row["created"], row["ended_at"] or row["canceled_at"] if has_ended else FOREVER)
            for (kind, _), row in self.rows.items()
            if kind == "subscriptions"
            and row["customer"] == customer
            and row["status"] not in ("incomplete", "incomplete_expired")
            for has_ended in [row["status"] == "canceled"]
        ]
        begin, reach = "", FOREVER
        while earlier := [start for start, end in spans if end >= reach and start < reach]:
            begin = reach = min(earlier)
        return begin

    def _inherit(self, wanted: str) -> None:
        for (kind, found), row in self.rows.items():
            if kind != wanted or row.get("user") or row.get("organization"):
                continue
            if row.get("customer") and kind not in ("refunds", "disputes", "invoice_payments"):
                continue
            if kind == "checkout_sessions":
                named = self._named[kind, found]
                row |= _columns(named if named in self.users else "")
            elif kind == "payments":
                row |= _columns(self._buyer(record_id(found)))
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
            if parent.get("customer") or parent.get("user") or parent.get("organization"):
                payer = {name: parent.get(name, "") for name in ("user", "organization")}
                return payer | {"customer": parent.get("customer", "")} if nameless else payer
        return {"customer": "", **_columns("")} if nameless else _columns("")


def _without_secrets(item: Json) -> Json:
    """The object as it is stored; the simulator's secrets are all at the top."""
    hidden = ["client_secret", *(["url"] if item["object"] == "billing_portal.session" else [])]
    return item | {name: None for name in hidden if name in item}


def _columns(payer: str) -> Json:
    """A payer as the columns of a row."""
    if payer.startswith(ORGANIZATION):
        return {"user": "", "organization": payer.removeprefix(ORGANIZATION)}
    return {"user": payer, "organization": ""}
