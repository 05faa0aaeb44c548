"""Rules, columns, migrations and hooks that differ from the release."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.doctor.conftest import Doctor

RULES = "collections.rules"


@asynccontextmanager
async def _changed(dashboard: Dashboard, name: str, **changes: Any) -> AsyncIterator[None]:
    """Change a collection as the dashboard does, and restore it."""
    path = f"/api/collections/{name}"
    before = await dashboard.call("GET", path)
    await dashboard.call("PATCH", path, changes)
    try:
        yield
    finally:
        await dashboard.call("PATCH", path, {key: before[key] for key in changes})


@pytest.mark.parametrize(
    ("collection", "rule"),
    [
        ("customers", "listRule"),
        ("gateway_work", "viewRule"),
        ("stripe_events", "listRule"),
        ("users", "updateRule"),
        ("organizations", "deleteRule"),
    ],
)
async def test_an_opened_rule_is_named(
    collection: str, rule: str, doctor: Doctor, dashboard: Dashboard
) -> None:
    """A rule that the dashboard opened is named with what it is and what migrations set."""
    async with _changed(dashboard, collection, **{rule: ""}):
        report = await doctor(RULES)
    report.assert_failed(RULES, f"{collection}.{rule}", "public (everyone)", "migrations set")
    (await doctor(RULES)).assert_ok(RULES)


async def test_several_changes_are_listed(doctor: Doctor, dashboard: Dashboard) -> None:
    """Each change is one detail: weaker, stricter and unhidden."""
    weaker = '@request.auth.id != ""'
    collection = await dashboard.call("GET", "/api/collections/charges")
    for field in collection["fields"]:
        if field["name"] == "stripe_object":
            field["hidden"] = False
    async with (
        _changed(dashboard, "invoices", listRule=weaker),
        _changed(dashboard, "prices", listRule=None),
        _changed(dashboard, "charges", fields=collection["fields"]),
    ):
        report = await doctor(RULES)
        report.assert_failed(RULES, "prices.listRule is closed", "charges.stripe_object is not")
    details = report.checks[RULES]["details"]
    assert len(details) == 3
    assert any(f"invoices.listRule is `{weaker}`, migrations set" in each for each in details)


async def test_imported_changes_are_named(doctor: Doctor, dashboard: Dashboard) -> None:
    """An import of collections is a change by request, too."""
    before = await dashboard.call("GET", "/api/collections/refunds")
    opened = {**before, "viewRule": ""}
    await dashboard.call("PUT", "/api/collections/import", {"collections": [opened]})
    try:
        (await doctor(RULES)).assert_failed(RULES, "refunds.viewRule is public")
    finally:
        await dashboard.call("PUT", "/api/collections/import", {"collections": [before]})
    (await doctor(RULES)).assert_ok(RULES)


async def test_rules_of_the_time_before_are_named(
    doctor: Doctor, dashboard: Dashboard, stack: Stack
) -> None:
    """A rule that was open when rules were first stored is a warning until it is restored."""
    file = stack.pocketbase.data_dir / "data.db"
    stored = "SELECT rules FROM gateway_collection_rules WHERE collection = ?"
    change = "UPDATE gateway_collection_rules SET rules = ? WHERE collection = ?"
    async with _changed(dashboard, "refunds", listRule="", viewRule=""):
        refunds = (await dashboard.call("GET", "/api/collections/refunds"))["id"]
        with closing(sqlite3.connect(file, timeout=30)) as shell, shell:
            [text] = shell.execute(stored, (refunds,)).fetchone()
            rules = json.loads(text)
            opened = {**rules, "rules": {**rules["rules"], "listRule": ""}, "released": rules}
            shell.execute(change, (json.dumps(opened), refunds))
        try:
            report = await doctor(RULES)
            report.assert_failed(RULES, "refunds.viewRule is public")
            former = {"viewRule": rules["rules"]["viewRule"]}
            await dashboard.call("PATCH", "/api/collections/refunds", former)
            report = await doctor(RULES)
            report.assert_failed(RULES, "refunds.listRule is public", status="warning")
            former = {"listRule": rules["rules"]["listRule"]}
            await dashboard.call("PATCH", "/api/collections/refunds", former)
            (await doctor(RULES)).assert_ok(RULES)
        finally:
            with closing(sqlite3.connect(file, timeout=30)) as shell, shell:
                shell.execute(change, (text, refunds))


async def test_a_collection_without_migration_is_mentioned(
    doctor: Doctor, dashboard: Dashboard
) -> None:
    """A collection that the dashboard made has no expected rules; the result says so."""
    new = {"name": "drafts", "type": "base", "listRule": ""}
    made = await dashboard.call("POST", "/api/collections", new)
    try:
        found = (await doctor(RULES)).checks[RULES]
        assert found["status"] == "ok"
        assert "not compared: drafts" in found["found"]
    finally:
        await dashboard.call("DELETE", f"/api/collections/{made['id']}")


async def test_a_renamed_column_is_named(doctor: Doctor, dashboard: Dashboard) -> None:
    """A column that hooks read is missing after a rename in the dashboard."""
    fields = (await dashboard.call("GET", "/api/collections/payments"))["fields"]
    renamed = [
        {**each, "name": "sum"} if each["name"] == "amount" else dict(each) for each in fields
    ]
    async with _changed(dashboard, "payments", fields=renamed):
        report = await doctor("collections.columns")
    report.assert_failed("collections.columns", "payments has no column amount")


async def test_other_names_are_named(doctor: Doctor) -> None:
    """A prefix that only the gateway has is named with its setting."""
    report = await doctor("collections.names", GATEWAY_COLLECTION_PREFIX="shop_")
    report.assert_failed("collections.names", "GATEWAY_COLLECTION_PREFIX")
