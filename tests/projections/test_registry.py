"""The registry of mirrored objects: complete, and the same as what the hooks apply."""

import json
import re

from gateway.mirror.registry import BY_COLLECTION, BY_OBJECT, REGISTRY
from gateway.webhooks.reconcile.kinds import KINDS
from stack.pocketbase import ROOT

_OWNERS = (ROOT / "pb_hooks" / "lib" / "owners.js").read_text()
_PAYERS = (ROOT / "pb_hooks" / "lib" / "payers.js").read_text()


def test_each_object_and_each_collection_has_one_entry() -> None:
    """No two entries share an object or a collection, and every entry is reconciled."""
    assert len(BY_OBJECT) == len(BY_COLLECTION) == len(REGISTRY)
    assert {kind.object for kind in KINDS} == BY_OBJECT.keys()


def test_every_projection_writes_its_own_collection() -> None:
    """The row of an object is in the collection of its entry."""
    for each in REGISTRY:
        changes = each.project({"object": each.object, "id": "x_1", "customer": "cus_1"}, False)
        assert changes.row.collection == each.collection


def test_the_hooks_have_the_same_ownership() -> None:
    """owners.js and payers.js know the owned collections, their parents and what entitles."""
    owners = {each.collection: each.owner for each in REGISTRY if each.owner}
    assert _read_list(_OWNERS, "OWNED") == sorted(owners, key=lambda name: owners[name].move_order)
    nameless = {name for name, owner in owners.items() if not owner.names_customer}
    assert set(_read_list(_OWNERS, "NAMELESS")) == nameless
    parents = re.search(r"PARENTS = \{\n(.*?)\n\}", _OWNERS, re.DOTALL)
    assert parents
    found = re.findall(r"^  (\w+): (\[.*\]),$", parents[1], re.MULTILINE)
    assert {name: json.loads(listed) for name, listed in found} == {
        name: [[each.column, each.collection] for each in owner.parents]
        for name, owner in owners.items()
        if owner.parents
    }
    assert set(_read_list(_PAYERS, "SAYING")) == {
        each.collection for each in REGISTRY if each.entitles
    }


def _read_list(text: str, name: str) -> list[str]:
    found = re.search(rf"const {name} = (?:new Set\()?\[(.*?)\]", text, re.DOTALL)
    assert found
    return re.findall(r'"(\w+)"', found[1])
