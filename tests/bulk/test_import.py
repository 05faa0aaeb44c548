"""Imports: each row of a file is written, or has its error."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.dev.stack import Stack
from gateway.pocketbase.api import FileUpload, PocketBaseClient
from gateway.rows import Json
from tests.bulk.conftest import open_superuser
from tests.deadline import eventually
from tests.frontend import Frontend, User
from tests.jobs.client import JobClient


async def _upload(pb: PocketBaseClient, user: User, content: bytes) -> str:
    upload = FileUpload(content, "rows.txt")
    return str((await pb.collection("uploads").create({"user": user.id, "file": upload}))["id"])


async def _import(
    jobs: JobClient, pb: PocketBaseClient, user: User, content: bytes, **choice: Any
) -> Json:
    """Return the finished job."""
    upload = await _upload(pb, user, content)
    return await jobs.run("import_articles", {"upload": upload, **choice})


async def test_csv_rows_are_written_or_have_their_errors(
    jobs: JobClient, own_pb: PocketBaseClient, user: User
) -> None:
    """Values of every type; API rules, validation and the transform apply to each row."""
    author = user.id
    rows = f"""\
\ufefftitle,author,score,public,due,tags,meta,created
A {author},{author},2.5,true,2026-01-02 03:04:05.000Z,"[""a"",""b""]","{{""x"": 1}}",
"B ""quoted""
{author}",{author},,,,,,
forbidden {author},{author},,,,,,
C {author},somebody else,,,,,,
D {author},{author},many,,,,,
,{author},,,,,,
E {author},{author}
broken {author},{author},,,,,,
'=F {author},{author},,,,c,,
"""
    done = await _import(jobs, own_pb, user, rows.encode())
    result = done["result"]
    assert (result["created"], result["updated"], result["failed"]) == (3, 0, 6)
    errors = {error["line"]: error for error in result["errors"]}
    assert sorted(errors) == [5, 6, 7, 8, 9, 10]
    assert errors[5]["errors"]["title"] == {
        "code": "title_forbidden",
        "message": "Choose another title.",
    }
    assert errors[7]["errors"]["score"]["code"] == "validation_invalid_number"
    assert "title" in errors[8]["errors"]
    assert errors[9]["errors"][""]["message"] == "It has 2 values instead of 8."
    stored = {each["title"]: each async for each in own_pb.collection("articles").iterate()}
    assert stored.keys() == {f"A {author}", f'B "quoted"\n{author}', f"=F {author}"}
    first = stored[f"A {author}"]
    assert (first["score"], first["public"], first["tags"]) == (2.5, True, ["a", "b"])
    assert (first["meta"], first["due"]) == ({"x": 1}, "2026-01-02 03:04:05.000Z")
    assert first["slug"] == f"a-{author}"
    assert stored[f"=F {author}"]["tags"] == ["c"]


async def test_json_lines_update_existing_records(
    jobs: JobClient, own_pb: PocketBaseClient, user: User
) -> None:
    """With mode upsert, a row with the id of a record changes it; unknown columns are refused."""
    made = await own_pb.collection("articles").create({"title": f"X {user.id}", "author": user.id})
    rows = f"""\
{{"id": "{made["id"]}", "title": "Y {user.id}", "score": 7}}

{{"id": "new{user.id[:12]}", "title": "Z {user.id}", "author": "{user.id}"}}
{{"title": "N {user.id}", "colour": "red"}}
[1, 2]
not json
"""
    choice = {"format": "jsonl", "mode": "upsert"}
    done = await _import(jobs, own_pb, user, rows.encode(), **choice)
    result = done["result"]
    assert (result["created"], result["updated"], result["failed"]) == (1, 1, 3)
    codes = [next(iter(error["errors"].values()))["code"] for error in result["errors"]]
    assert codes == [
        "validation_unknown_column",
        "validation_invalid_json",
        "validation_invalid_json",
    ]
    changed = await own_pb.collection("articles").get(made["id"])
    assert (changed["title"], changed["score"]) == (f"Y {user.id}", 7)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"\n", "The file is empty"),
        (b"title,colour\nx,red\n", "There is no column colour."),
        (b"title,title\nx,y\n", "The first line names a column twice."),
        (b"title,internal\nx,y\n", "There is no column internal."),
        (b"title\n\xff\xfe\n", "The file is not UTF-8 text."),
    ],
)
async def test_an_unreadable_file_is_refused(
    jobs: JobClient, own_pb: PocketBaseClient, user: User, content: bytes, error: str
) -> None:
    """The job fails with a sentence for the user."""
    upload = await _upload(own_pb, user, content)
    ended = await jobs.run("import_articles", {"upload": upload})
    assert ended["status"] == "parked"
    assert ended["error"].startswith(error)


async def test_files_of_others_are_not_read(
    jobs: JobClient, own_pb: PocketBaseClient, pb: PocketBaseClient, frontend: Frontend
) -> None:
    """The file is read as the user."""
    other = await frontend.sign_up()
    upload = await _upload(pb.with_token(other.token), other, b"title\nx\n")
    ended = await jobs.run("import_articles", {"upload": upload})
    assert (ended["status"], ended["error"]) == ("parked", "There is no such file.")


async def test_an_export_can_be_imported(
    jobs: JobClient, own_pb: PocketBaseClient, user: User
) -> None:
    """Deleted records come back with their ids and values."""
    articles = own_pb.collection("articles")
    values = {"tags": ["b"], "meta": {"a": "=1"}, "public": True, "score": -1}
    made = await articles.create({"title": f"-1 {user.id}", "author": user.id, **values})
    done = await jobs.run("export_articles", {})
    exports = own_pb.collection("gateway_exports")
    content = await exports.read_file(done["result"]["id"], done["result"]["file"], protected=True)
    choice = {"upload": await _upload(own_pb, user, content), "mode": "upsert"}
    result = (await jobs.run("import_articles", choice))["result"]
    assert (result["updated"], result["failed"]) == (1, 0)
    again = await articles.get(made["id"])
    assert {**again, "updated": ""} == {**made, "updated": ""}


async def test_a_killed_import_continues(
    own_stack: Callable[..., Stack], http: httpx.AsyncClient
) -> None:
    """kill -9 in the middle: every row once, also those of the chunk that was under way."""
    stack = own_stack(SLOW="1")
    async with Frontend(stack.pocketbase.url) as frontend, open_superuser(stack) as pb:
        user = await frontend.sign_up()
        jobs = JobClient(http, stack.gateway.url, user.token)
        own = pb.with_token(user.token)
        rows = "title,author\n" + "".join(f"Row {i},{user.id}\n" for i in range(300))
        upload = await _upload(own, user, rows.encode())
        id = await jobs.start("import_articles", {"upload": upload})

        async def has_begun() -> bool:
            return bool(((await jobs.get(id)).json()["progress"] or {}).get("created"))

        await eventually(has_begun, 30)
        stack.gateway.kill()
        await pb.collection("gateway_work").update(id, {"lease": "2020-01-01 00:00:00.000Z"})
        stack.gateway.start()
        stack.gateway.wait_ready()
        done = await jobs.wait(id, within=60)
        assert (done["status"], done["attempts"]) == ("done", 2)
        assert done["result"] == {"created": 300, "updated": 0, "failed": 0, "errors": []}
        assert await pb.collection("articles").count() == 300
