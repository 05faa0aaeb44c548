"""Exports: a file that belongs to the job's user, with what the user may see."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from gateway.dev.stack import Stack
from gateway.pocketbase.api import NotFound, PocketBaseClient
from tests.frontend import Frontend, User
from tests.jobs.client import JobClient

_VALUES: dict[str, Any] = {
    "score": 1.5,
    "public": True,
    "due": "2026-11-27 10:00:00.000Z",
    "tags": ["a", "b"],
    "meta": {"x": [1, None]},
}


async def _export(jobs: JobClient, pb: PocketBaseClient, **choice: Any) -> tuple[bytes, Any]:
    """Return the content and record of an export."""
    done = await jobs.run("export_articles", choice)
    assert done["status"] == "done", done
    record = await pb.collection("gateway_exports").get(done["result"]["id"])
    content = await pb.collection("gateway_exports").read_file(
        record["id"], record["file"], protected=True
    )
    assert record["rows"] == done["result"]["rows"]
    return content, record


async def test_csv(jobs: JobClient, own_pb: PocketBaseClient, user: User) -> None:
    """All columns that are not hidden; formulas are marked as text, other values are exact."""
    titles = ["=1+1", 'Quote " and, comma\nand line', "Ünïcode 🎉"]
    articles = own_pb.collection("articles")
    made = [
        await articles.create({"title": title, "author": user.id, **_VALUES}) for title in titles
    ]
    content, record = await _export(jobs, own_pb)
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(content.decode(), newline=""))}
    assert rows.keys() == {each["id"] for each in made}
    first = rows[made[0]["id"]]
    assert first["title"] == "'=1+1"
    assert [rows[each["id"]]["title"] for each in made[1:]] == titles[1:]
    assert (first["score"], first["public"]) == ("1.5", "true")
    assert json.loads(first["tags"]) == ["a", "b"]
    assert json.loads(first["meta"]) == _VALUES["meta"]
    assert "internal" not in first
    assert record["file"].startswith("articles_")
    assert record["file"].endswith(".csv")
    assert (record["user"], record["format"], record["rows"]) == (user.id, "csv", 3)


async def test_json_lines_with_chosen_columns(
    jobs: JobClient, own_pb: PocketBaseClient, user: User
) -> None:
    """One object per line, with the columns that were asked for."""
    for number in range(3):
        await own_pb.collection("articles").create(
            {"title": f"{number} {user.id}", "author": user.id, **_VALUES}
        )
    content, _ = await _export(jobs, own_pb, format="jsonl", fields=["title", "tags"])
    rows = [json.loads(line) for line in content.splitlines()]
    assert sorted(row["title"][0] for row in rows) == ["0", "1", "2"]
    assert all(row.keys() == {"title", "tags"} and row["tags"] == ["a", "b"] for row in rows)


async def test_parquet(jobs: JobClient, own_pb: PocketBaseClient, user: User) -> None:
    """Numbers, booleans, times and lists keep their types."""
    pyarrow = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    values = {"title": f"P {user.id}", "author": user.id, **_VALUES}
    await own_pb.collection("articles").create(values)
    content, _ = await _export(jobs, own_pb, format="parquet")
    [row] = parquet.read_table(pyarrow.BufferReader(content)).to_pylist()
    assert (row["score"], row["public"], row["tags"]) == (1.5, True, ["a", "b"])
    assert row["due"] == datetime(2026, 11, 27, 10, tzinfo=UTC)
    assert json.loads(row["meta"]) == _VALUES["meta"]


async def test_an_export_has_only_what_its_user_sees(
    jobs: JobClient, own_pb: PocketBaseClient, pb: PocketBaseClient, frontend: Frontend, user: User
) -> None:
    """Records of others are left out, hidden columns refused; others don't get the file."""
    await pb.collection("articles").create({"title": f"Other {user.id}", "author": "someone"})
    content, record = await _export(jobs, own_pb)
    assert content.decode().count("\n") == 1
    ended = await jobs.run("export_articles", {"fields": ["title", "internal"]})
    assert ended["error"].startswith("There is no column internal. There are: id, title, ")
    other = pb.with_token((await frontend.sign_up()).token)
    with pytest.raises(NotFound):
        await other.collection("gateway_exports").get(record["id"])
    with pytest.raises(NotFound):
        await other.collection("gateway_exports").read_file(
            record["id"], record["file"], protected=True
        )
    await own_pb.collection("gateway_exports").delete(record["id"])


async def test_a_superuser_exports_everything(
    stack: Stack, http: httpx.AsyncClient, superuser_token: str, pb: PocketBaseClient, user: User
) -> None:
    """Hidden columns and records of all users, in a file for superusers."""
    made = await pb.collection("articles").create({"title": user.id, "internal": "note"})
    root = JobClient(http, stack.gateway.url, superuser_token)
    done = await root.run("export_all", {"format": "jsonl"})
    exports = pb.collection("gateway_exports")
    record = await exports.get(done["result"]["id"])
    content = await exports.read_file(record["id"], record["file"], protected=True)
    rows = {row["id"]: row for row in map(json.loads, content.splitlines())}
    assert rows[made["id"]]["internal"] == "note"
    assert record["user"] == ""
