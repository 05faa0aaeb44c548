"""Batches of PocketBase's own JavaScript SDK pass through the transform, whole or not at all."""

from tests.posts.js_sdk import JsSdk

_TEXT = "<p>Three words here</p>"


def test_a_batch_is_transformed(page: JsSdk) -> None:
    """Creates, an update and an upsert of one batch all pass through the transform."""
    results = page.run(
        """const post = await pb.collection("posts").create({ title: "In a batch" })
        const batch = pb.createBatch()
        batch.collection("posts").create({ title: "First of batch", tags: ["PY"] })
        batch.collection("posts").update(post.id, { content: given.content })
        batch.collection("posts").upsert({ id: "batchupsert0001", title: "Upserted in batch" })
        batch.collection("posts").delete(post.id)
        return batch.send()""",
        content=_TEXT,
    )
    assert [result["status"] for result in results] == [200, 200, 200, 204]
    created, updated, upserted, _ = (result["body"] for result in results)
    assert (created["slug"], created["tags"]) == ("first-of-batch", ["python"])
    assert updated["word_count"] == 3
    assert upserted["slug"] == "upserted-in-batch"


def test_errors_of_a_batch_name_their_request(page: JsSdk) -> None:
    """A refused item is found where PocketBase's own refusals are: under its number."""
    error, slugs = page.run(
        """const batch = pb.createBatch()
        batch.collection("posts").create({ title: "Not without the other" })
        batch.collection("posts").create({ title: "" })
        const error = await refusal(batch.send())
        const found = await pb.collection("posts").getFullList({ filter: "slug ~ 'not-without'" })
        return [error, found]"""
    )
    assert error["status"] == 400
    assert list(error["data"]["requests"]) == ["1"]
    assert "title" in error["data"]["requests"]["1"]["response"]["data"]
    assert slugs == []
