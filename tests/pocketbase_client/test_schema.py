"""Collections, settings, logs, backups and cron jobs, for superusers."""

import pytest

from gateway.pocketbase.api import Forbidden, NotFound, PocketBaseClient, ValidationFailed


async def test_a_collection_is_created_changed_emptied_and_deleted(pb: PocketBaseClient) -> None:
    """And found by its name."""
    fields = [{"name": "text", "type": "text"}]
    made = await pb.collections.create({"name": "shelves", "type": "base", "fields": fields})
    try:
        assert (await pb.collections.get("shelves"))["id"] == made["id"]
        assert made["id"] in [each["id"] for each in await pb.collections.list()]
        assert (await pb.collections.update("shelves", {"listRule": ""}))["listRule"] == ""
        await pb.collection("shelves").create({"text": "x"})
        await pb.collections.truncate("shelves")
        assert await pb.collection("shelves").count() == 0
    finally:
        await pb.collections.delete("shelves")
    with pytest.raises(NotFound):
        await pb.collections.get("shelves")


async def test_all_collections_are_listed(pb: PocketBaseClient) -> None:
    """Also those beyond PocketBase's page of 30."""
    names = [each["name"] for each in await pb.collections.list()]
    assert len(names) > 30
    assert len(set(names)) == len(names)
    assert {"posts", "users", "_superusers"} <= set(names)
    found = await pb.collections.list(filter="name = 'posts'")
    assert [each["name"] for each in found] == ["posts"]


async def test_an_import_is_all_or_nothing(pb: PocketBaseClient) -> None:
    """A collection that is not valid keeps the others from being created."""
    good = {"name": "imported", "type": "base", "fields": [{"name": "text", "type": "text"}]}
    with pytest.raises(ValidationFailed):
        await pb.collections.import_all([good, {"name": "bad", "type": "unknown"}])
    with pytest.raises(NotFound):
        await pb.collections.get("imported")
    await pb.collections.import_all([good])
    try:
        assert (await pb.collections.get("imported"))["type"] == "base"
    finally:
        await pb.collections.delete("imported")


async def test_scaffolds_are_empty_collections(pb: PocketBaseClient) -> None:
    """One of each type."""
    assert set(await pb.collections.scaffolds()) == {"base", "auth", "view"}


async def test_administration_is_there(pb: PocketBaseClient, user: PocketBaseClient) -> None:
    """Settings, logs, backups and jobs, and none of them for users."""
    assert (await pb.settings.get())["batch"]["enabled"] is True
    assert "items" in await pb.logs.list(per_page=1)
    assert isinstance(await pb.logs.stats(), list)
    jobs = await pb.crons.list()
    assert {"id", "expression"} <= set(jobs[0])
    with pytest.raises(Forbidden):
        await user.settings.get()
    assert (await user.health())["code"] == 200


async def test_a_backup_is_created_downloaded_and_deleted(pb: PocketBaseClient) -> None:
    """It is a zip file."""
    await pb.backups.create("by_client.zip")
    try:
        assert "by_client.zip" in [each["key"] for each in await pb.backups.list()]
        async with pb.backups.open("by_client.zip") as backup:
            assert (await anext(aiter(backup.chunks)))[:2] == b"PK"
    finally:
        await pb.backups.delete("by_client.zip")
