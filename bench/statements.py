"""The SQL statements that PocketBase runs for the gateway, and their query plans."""

import json
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.events import START, sign
from gateway.dev.stack import Stack

#: Longer than the pauses of the gateway's background work.
_ROUND_SECONDS = 7.0
#: The beginning of a statement in PocketBase's log in --dev mode.
_STATEMENT = re.compile(r"^\[\d+\.\d+ms\] ", re.MULTILINE)
_LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+\b")
#: Scans that are allowed: values of one row or statement, our few transforms, and the index that
#: holds none but failed events, where those are wanted.
_SMALL = re.compile(
    r"json_each|VIRTUAL TABLE|SCAN \d+-ROW|CONSTANT|COLUMN VALUES|SCAN gateway_transforms"
    r"|idx_stripe_events_failed"
)
_LIST = re.compile(r"\(\s*\?(?:\s*,\s*\?)*\s*\)")


@dataclass(frozen=True, slots=True)
class Step:
    """A line of a query plan."""

    text: str

    @property
    def is_scan(self) -> bool:
        """Return whether it scans a whole growing table or index of the gateway."""
        return self.text.startswith("SCAN ") and not _SMALL.search(self.text)


def read_statements(stack: Stack) -> Sequence[str]:
    """Return the statements for one event of each kind and for the gateway's background work."""
    pocketbase = stack.pocketbase
    pocketbase.stop()
    pocketbase.command += ("--dev",)
    pocketbase.start()
    pocketbase.wait_healthy()
    before = len(pocketbase.log.read_text(errors="replace"))
    stack.gateway.restart()
    user = _sign_up(stack)
    secret = stack.plan.stripe.webhook_secrets[0]
    with httpx.Client(trust_env=False, base_url=stack.gateway.url) as client:
        for event in [*_EVENTS, *_linking_events(user)]:
            body = json.dumps(event).encode()
            headers = {"Stripe-Signature": sign(body, secret)}
            client.post("/webhooks/stripe", content=body, headers=headers).raise_for_status()
    time.sleep(_ROUND_SECONDS)
    log = pocketbase.log.read_text(errors="replace")[before:]
    statements = [_STATEMENT.split(part)[-1] for part in _STATEMENT.split(log)[1:]]
    return [_trim(each) for each in statements]


def _sign_up(stack: Stack) -> str:
    """Create a user with a verified address; return the id."""
    pocketbase = stack.pocketbase
    with httpx.Client(trust_env=False, base_url=pocketbase.url) as client:
        login = {"identity": pocketbase.superuser_email, "password": pocketbase.superuser_password}
        answer = client.post("/api/collections/_superusers/auth-with-password", json=login)
        user = {
            "email": "explain@example.com",
            "password": "explain-explain",
            "passwordConfirm": "explain-explain",
            "verified": True,
        }
        headers = {"Authorization": answer.json()["token"]}
        answer = client.post("/api/collections/users/records", json=user, headers=headers)
        return str(answer.raise_for_status().json()["id"])


def _trim(statement: str) -> str:
    """Remove the log lines after a statement."""
    return re.split(r"\n(?:INFO|WARN|ERROR|DEBUG) ", statement)[0].strip()


def explain(database: Path, statements: Sequence[str]) -> Iterator[tuple[str, Sequence[Step]]]:
    """Yield each kind of statement once, with its query plan."""
    seen = set()
    with closing(sqlite3.connect(database)) as connection:
        for statement in statements:
            shape = _LIST.sub("(?)", _LITERAL.sub("?", statement))
            if shape in seen or not _concerns_us(statement):
                continue
            seen.add(shape)
            # PocketBase's own functions are not needed to plan a query, but must exist.
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}")
            yield shape, [Step(str(row[3])) for row in plan]


def _concerns_us(statement: str) -> bool:
    # Statements on PocketBase's own tables, users and settings are not ours.
    own = re.search(r"(?:FROM|INTO|UPDATE|JOIN)\s+[`{\[]*(_\w+|users|sqlite_master)\b", statement)
    return statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")) and not own


def _event(number: int, kind: str, item: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {
        "id": f"evt_9explain{number:04}",
        "object": "event",
        "type": kind,
        "created": START - 5,
        "data": {"object": {"customer": "cus_explain", **item}, **data},
    }


_SUBSCRIPTION = {"id": "sub_explain", "object": "subscription", "status": "active"}
_CUSTOMER = {"id": "cus_explain", "object": "customer", "email": "explain@example.com"}

#: Each makes PocketBase run statements of its own: new and known rows, a conflict, parents,
#: children.
_EVENTS = [
    _event(1, "refund.created", {"id": "re_explain", "object": "refund", "customer": None,
                                 "charge": "ch_explain", "payment_intent": "pi_explain"}),
    _event(2, "invoice_payment.paid", {"id": "inpay_explain", "object": "invoice_payment",
                                       "customer": None, "invoice": "in_explain"}),
    _event(3, "charge.succeeded", {"id": "ch_explain", "object": "charge"}),
    _event(4, "payment_intent.succeeded", {"id": "pi_explain", "object": "payment_intent",
                                           "customer": None}),
    _event(5, "invoice.paid", {"id": "in_explain", "object": "invoice", "status": "paid"}),
    _event(6, "checkout.session.completed", {"id": "cs_explain", "object": "checkout.session",
                                             "status": "complete",
                                             "payment_intent": "pi_explain"}),
    _event(7, "customer.subscription.updated", _SUBSCRIPTION,
           previous_attributes={"status": "trialing"}),
    _event(8, "customer.subscription.updated", {**_SUBSCRIPTION, "status": "past_due"},
           previous_attributes={"status": "active"}),
    _event(9, "customer.created", _CUSTOMER),
    _event(10, "unknown.event", {"id": "un_explain", "object": "unknown"}),
]  # fmt: skip


def _linking_events(user: str) -> list[dict[str, Any]]:
    """A customer whose rows came first is linked by metadata."""
    customer = {"customer": "cus_other", "id": "cus_other", "object": "customer"}
    return [
        _event(11, "invoice.paid", {**customer, "id": "in_other", "object": "invoice"}),
        _event(12, "customer.created", {**customer, "metadata": {"pocketbase_user": user}}),
    ]
