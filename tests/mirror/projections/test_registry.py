"""The registry of mirrored objects: complete, and with the columns that it needs."""

import pytest

from gateway.mirror.mirrored_object import MirroredObject
from gateway.mirror.registry import BY_COLLECTION, BY_OBJECT, GENERIC, REGISTRY
from gateway.mirror.requirements import MirrorIncomplete, require_columns
from gateway.reconcile.listed_objects import list_kinds
from gateway.vocabulary import COLLECTIONS


def test_each_object_and_each_collection_has_one_entry() -> None:
    """No two entries share an object or a collection, and every entry is reconciled."""
    assert len(BY_OBJECT) == len(BY_COLLECTION) == len(REGISTRY)
    listed = [each.object for each in GENERIC if each.lists]
    assert {kind.object for kind in list_kinds()} == {*BY_OBJECT, *listed}
    assert len({kind.name for kind in list_kinds()}) == len(list_kinds())


def test_every_projection_writes_its_own_collection() -> None:
    """The row of an object is in the collection of its entry."""
    for each in REGISTRY:
        changes = each.project({"object": each.object, "id": "x_1", "customer": "cus_1"}, False)
        assert changes.row.collection == each.collection


def test_a_missing_column_is_one_sentence() -> None:
    """Without `version` rows would lose their order: the start names object, column and remedy."""
    spoiled = COLLECTIONS | {"charges": COLLECTIONS["charges"] - {"version", "user"}}
    with pytest.raises(MirrorIncomplete) as refused:
        require_columns(REGISTRY, spoiled)
    assert str(refused.value) == (
        "The mirror of charge needs the columns version, user in the collection charges: "
        "add a migration and run `make vocabulary`."
    )


def test_a_missing_collection_is_one_sentence() -> None:
    """An entry without a collection of a migration is refused as well."""
    others = {name: columns for name, columns in COLLECTIONS.items() if name != "coupons"}
    with pytest.raises(MirrorIncomplete, match=r"coupon needs .* in the collection coupons"):
        require_columns(REGISTRY, others)


@pytest.mark.parametrize("each", [*REGISTRY, GENERIC[0]], ids=lambda each: each.collection)
def test_a_projection_writes_columns_that_exist(each: MirroredObject) -> None:
    """PocketBase ignores unknown columns, so a misspelt one would lose its value silently."""
    changes = each.project({"object": each.object, "id": "x_1", "customer": "cus_1"}, False)
    assert changes.row.values.keys() <= COLLECTIONS[each.collection]
