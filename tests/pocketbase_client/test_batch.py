"""Batches: several writes in one transaction."""

import pytest

from gateway.pocketbase.api import (
    BatchFailed,
    FileUpload,
    Forbidden,
    NotFound,
    PocketBaseClient,
    ValidationFailed,
)
from tests.pocketbase_client.blog import Post


async def test_all_kinds_of_writes_are_sent_at_once(pb: PocketBaseClient) -> None:
    """Their records are there after the block, as models where asked for."""
    posts = pb.collection("posts")
    old = await posts.create({"title": "old", "score": 1})
    gone = await posts.create({"title": "gone"})
    async with pb.batch() as batch:
        made = batch.collection("posts", Post).create(Post(title="made"))
        changed = batch.collection("posts").update(old["id"], {"score+": 2}, fields="score")
        put = batch.collection("posts").upsert({"id": "batchupsert0000", "title": "put"})
        batch.collection("posts").delete(gone["id"])
        with pytest.raises(RuntimeError, match="not sent"):
            _ = made.record
        assert len(batch) == 4
    assert made.record.title == "made"
    assert (await posts.get(made.record.id))["title"] == "made"
    assert changed.record == {"score": 3}
    assert put.record["id"] == "batchupsert0000"
    assert await posts.get_or_none(gone["id"]) is None


async def test_nothing_is_written_if_one_request_fails(pb: PocketBaseClient) -> None:
    """The error says which one, and why."""
    with pytest.raises(BatchFailed) as caught:  # noqa: PT012
        async with pb.batch() as batch:
            made = batch.collection("posts").create({"title": "never written"})
            batch.collection("posts").create({"title": ""})
    error = caught.value
    assert error.index == 1
    assert isinstance(error.reason, ValidationFailed)
    assert error.reason.fields["title"].code == "validation_required"
    assert error.status == 400
    assert await pb.collection("posts").count("title = 'never written'") == 0
    with pytest.raises(RuntimeError, match="not sent"):
        _ = made.record


async def test_a_missing_record_is_the_reason(pb: PocketBaseClient) -> None:
    """A reason is one of the client's exceptions."""
    with pytest.raises(BatchFailed) as caught:
        async with pb.batch() as batch:
            batch.collection("posts").update("x" * 15, {"title": "x"})
    assert isinstance(caught.value.reason, NotFound)
    assert "Request 0 " in caught.value.message


async def test_a_block_that_raises_sends_nothing(pb: PocketBaseClient) -> None:
    """The error goes through."""
    with pytest.raises(LookupError, match="mine"):  # noqa: PT012
        async with pb.batch() as batch:
            batch.collection("posts").create({"title": "never sent"})
            raise LookupError("mine")
    assert await pb.collection("posts").count("title = 'never sent'") == 0


async def test_a_batch_has_pocketbases_limit(pb: PocketBaseClient) -> None:
    """More requests than the settings allow are refused as a whole."""
    with pytest.raises(BatchFailed) as caught:  # noqa: PT012
        async with pb.batch() as batch:
            for number in range(11):
                batch.collection("posts").create({"title": f"too many {number}"})
    assert caught.value.index is None
    assert caught.value.fields["requests"].params["max"] == 10
    assert await pb.collection("posts").count("title ~ 'too many'") == 0


async def test_files_go_with_a_batch(pb: PocketBaseClient) -> None:
    """Each to the field of its own request."""
    async with pb.batch() as batch:
        first = batch.collection("posts").create(
            {"title": "a", "documents": [FileUpload(b"1", "a.txt")]}
        )
        batch.collection("posts").create({"title": "b", "score": 2})
        last = batch.collection("posts").create(
            {"title": "c", "documents": [FileUpload(b"3", "c.txt")]}
        )
    posts = pb.collection("posts")
    for result, content in ((first, b"1"), (last, b"3")):
        [name] = result.record["documents"]
        assert await posts.read_file(result.record["id"], name) == content


async def test_a_batch_is_sent_once(pb: PocketBaseClient) -> None:
    """By `send` or at the end of the block; an empty one not at all."""
    async with pb.batch() as batch:
        made = batch.collection("posts").create({"title": "once"})
        await batch.send()
        assert made.record["title"] == "once"
    assert await pb.collection("posts").count("title = 'once'") == 1
    with pytest.raises(RuntimeError, match="sent"):
        batch.collection("posts").create({"title": "late"})
    async with pb.batch():
        pass


async def test_rules_and_settings_hold_for_batches(
    pb: PocketBaseClient, guest: PocketBaseClient
) -> None:
    """A guest's batch fails by the rule; PocketBase may allow none at all."""
    with pytest.raises(BatchFailed):
        async with guest.batch() as batch:
            batch.collection("posts").create({"title": "x"})
    await pb.settings.update({"batch": {"enabled": False}})
    try:
        with pytest.raises(Forbidden):
            async with pb.batch() as batch:
                batch.collection("posts").create({"title": "x"})
    finally:
        await pb.settings.update({"batch": {"enabled": True}})
