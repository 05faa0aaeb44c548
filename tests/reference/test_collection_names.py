"""Collections are named in one place per language; other code has keys."""

import re
from pathlib import Path

import pytest

from gateway.dev.pocketbase import ROOT
from gateway.mirror.registry import REGISTRY
from gateway.vocabulary import COLLECTIONS, INTERNAL_COLLECTIONS, CollectionNames

_KEYS = {*COLLECTIONS, *INTERNAL_COLLECTIONS, "users"}
_NAMES = {CollectionNames().of(key) for key in _KEYS} | _KEYS
_ANY = "|".join(sorted(_NAMES, key=len, reverse=True))
#: Calls and keywords that name a collection to PocketBase or SQLite.
_LITERALS = [
    re.compile(rf"\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\s+[`\"\[{{]*(?:{_ANY})\b(?!\.)"),
    re.compile(rf"\bON (?:{_ANY}) \("),
    # A column of a table, in SQL.
    re.compile(
        rf"(?<![\w.{{])(?:{_ANY})\.(?:\[\[\w+|id|email|user|customer|organization|stripe_id|status|record)\b"
        r"(?!\()"
    ),
    re.compile(
        rf"\b(?:\w*[cC]ollection\w*OrId|find\w*Record\w*|countRecords)\(\s*[\"'](?:{_ANY})[\"']"
    ),
    re.compile(rf"\brequireAuth\([\"'](?:{_ANY})[\"']"),
    re.compile(rf"^\}}, [\"'](?:{_ANY})[\"']", re.MULTILINE),
    re.compile(rf"/api/collections/(?:{_ANY})\b"),
    re.compile(rf"@collection\.(?:{_ANY})\b"),
    re.compile(rf"\b(?:{_ANY})_via_\w"),
    re.compile(rf"collectionName\s*!?=\s*[\"'](?:{_ANY})[\"']"),
    re.compile(rf"\bidx_(?:{_ANY})_\w"),
    re.compile(rf"new Collection\(\{{\s*name: [\"'](?:{_ANY})[\"']"),
]
_CODE = [
    path
    for folder, pattern in (
        ("gateway", "*.py"),
        ("stack", "*.py"),
        ("pb_hooks", "*.js"),
        ("pb_migrations", "*.js"),
    )
    for path in sorted((ROOT / folder).rglob(pattern))
]


@pytest.mark.parametrize("path", _CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_has_no_literal_name(path: Path) -> None:
    """Names come from pb_hooks/lib/names.js and gateway/vocabulary.py."""
    text = path.read_text()
    found = [match[0] for literal in _LITERALS for match in literal.finditer(text)]
    assert found == []


def test_the_scan_finds_literals() -> None:
    """One of each kind."""
    for text in (
        "SELECT 1 FROM customers customer",
        "UPDATE `gateway_trials` SET x = 1",
        "      users.email != contact.email",
        "customers.[[primary]]",
        'app.findCollectionByNameOrId("prices")',
        'tx.findRecordsByFilter(\n    "memberships", ""',
        'new Collection({\n    name: "trials"',
        '$apis.requireAuth("users")',
        '}, "users")',
        "/api/collections/gateway_work/records",
        "memberships_via_organization.user",
        "@collection.entitlements:pro.user",
        '@request.auth.collectionName = "users"',
        "CREATE INDEX idx_prices_product",
    ):
        assert any(literal.search(text) for literal in _LITERALS), text


def test_keys_in_the_hooks_exist() -> None:
    """`NAMES.custmers` would be undefined, and its SQL would name no table."""
    for path in (ROOT / "pb_hooks").rglob("*.js"):
        text = path.read_text()
        used = re.findall(r"\b(?:NAMES|TABLES)\.(\w+)", text)
        used += re.findall(r'\bnameOf\("(\w+)"\)', text)
        assert {*used} <= _KEYS, path.name


def test_what_is_internal_begins_with_gateway() -> None:
    """By default only what mirrors Stripe or frontends read has no prefix."""
    names = CollectionNames()
    mirrored = {entry.collection for entry in REGISTRY}
    assert not mirrored & {*INTERNAL_COLLECTIONS}
    for key in COLLECTIONS:
        assert names.of(key).startswith("gateway_") == (key in INTERNAL_COLLECTIONS)
    assert CollectionNames("shop_", "own_", "members").of("products") == "shop_products"
    assert CollectionNames("shop_", "own_", "members").of("trials") == "own_trials"
    assert CollectionNames("shop_", "own_", "members").of("users") == "members"
