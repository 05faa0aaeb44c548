"""Files of records: upload, address, download and removal."""

import io
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.pocketbase.api import (
    Auth,
    FileTooLarge,
    FileUpload,
    NotFound,
    PocketBaseClient,
    ValidationFailed,
)


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


def _draw_png(size: int) -> bytes:
    """Return a black square."""
    head = size.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    rows = zlib.compress(bytes((size + 1) * size))
    parts = (_chunk(b"IHDR", head), _chunk(b"IDAT", rows), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _width(png: bytes) -> int:
    return int.from_bytes(png[16:20], "big")


async def test_every_kind_of_content_comes_back(pb: PocketBaseClient, tmp_path: Path) -> None:
    """Bytes, a path and an open file are uploaded with the other fields' types kept."""
    path = tmp_path / "from a path.txt"
    path.write_bytes(b"path")
    posts = pb.collection("posts")
    stream = io.BytesIO(b"stream" * 100_000)
    made = await posts.create(
        {
            "title": "files",
            "score": 1.5,
            "data": {"n": [1]},
            "documents": [
                FileUpload(b"bytes\0\xff", "a.bin"),
                FileUpload(path),
                FileUpload(stream, "c.bin"),
            ],
        }
    )
    assert (made["score"], made["data"]) == (1.5, {"n": [1]})
    contents = [await posts.read_file(made["id"], name) for name in made["documents"]]
    assert contents == [b"bytes\0\xff", b"path", b"stream" * 100_000]
    assert made["documents"][1].startswith("from_a_path")


async def test_files_are_added_kept_and_removed(pb: PocketBaseClient) -> None:
    """`documents+` adds; a list of names and files keeps the names; `documents-` removes."""
    posts = pb.collection("posts")
    made = await posts.create({"title": "x", "documents": [FileUpload(b"1", "one.txt")]})
    [one] = made["documents"]
    changed = await posts.update(
        made["id"], {"documents+": FileUpload(b"2", "two.txt"), "score": 2}
    )
    assert (len(changed["documents"]), changed["score"]) == (2, 2)
    [_, two] = changed["documents"]
    changed = await posts.update(made["id"], {"documents": [two, FileUpload(b"3", "three.txt")]})
    assert changed["documents"][0] == two
    with pytest.raises(NotFound):
        await posts.read_file(made["id"], one)
    changed = await posts.update(made["id"], {"documents-": [two]})
    [three] = changed["documents"]
    assert await posts.read_file(made["id"], three) == b"3"
    assert (await posts.update(made["id"], {"documents": []}))["documents"] == []


async def test_an_address_and_a_thumb(pb: PocketBaseClient, http: httpx.AsyncClient) -> None:
    """`file_url` is what a page shows; `thumb` a smaller one."""
    posts = pb.collection("posts")
    made = await posts.create(
        {"title": "x", "public": True, "cover": FileUpload(_draw_png(40), "a.png")}
    )
    url = posts.file_url(made["id"], made["cover"], thumb="10x10")
    assert _width((await http.get(url)).content) == 10
    assert _width(await posts.read_file(made["id"], made["cover"])) == 40
    url = posts.file_url(made["id"], made["cover"], download=True)
    answer = await http.get(url)
    assert answer.headers["content-disposition"].startswith("attachment")


async def test_a_protected_file_needs_a_token(
    pb: PocketBaseClient,
    guest: PocketBaseClient,
    author: Auth[dict[str, Any]],
    user: PocketBaseClient,
    http: httpx.AsyncClient,
) -> None:
    """Of an account that may see the record."""
    body = {"title": "x", "author": author.record["id"], "secret": FileUpload(b"secret", "s.txt")}
    made = await pb.collection("posts").create(body)
    posts = user.collection("posts")
    with pytest.raises(NotFound):
        await guest.collection("posts").read_file(made["id"], made["secret"])
    with pytest.raises(NotFound):
        await posts.read_file(made["id"], made["secret"])
    assert await posts.read_file(made["id"], made["secret"], protected=True) == b"secret"
    url = posts.file_url(made["id"], made["secret"], token=await user.file_token())
    assert (await http.get(url)).content == b"secret"


async def test_a_download_can_be_streamed_saved_and_limited(
    pb: PocketBaseClient, tmp_path: Path
) -> None:
    """open_file gives parts, save_file writes a path, read_file has a limit."""
    content = bytes(range(256)) * 2000
    posts = pb.collection("posts")
    made = await posts.create({"title": "x", "documents": [FileUpload(content, "big.bin")]})
    [name] = made["documents"]
    async with posts.open_file(made["id"], name) as file:
        assert (file.size, file.content_type) == (len(content), "application/octet-stream")
        assert b"".join([chunk async for chunk in file.chunks]) == content
    await posts.save_file(made["id"], name, tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == content
    with pytest.raises(FileTooLarge, match="1000"):
        await posts.read_file(made["id"], name, max_bytes=1000)


async def test_a_refused_file_is_named_by_its_field(pb: PocketBaseClient) -> None:
    """A type or number that the field does not take."""
    with pytest.raises(ValidationFailed) as caught:
        await pb.collection("posts").create({"title": "x", "cover": FileUpload(b"text", "a.png")})
    assert caught.value.fields["cover"].code == "validation_invalid_mime_type"
    with pytest.raises(OSError, match="nowhere"):
        await pb.collection("posts").create(
            {"title": "x", "cover": FileUpload(Path("nowhere.png"))}
        )


@pytest.mark.parametrize("name", ["..", "", "../../../../../data.db", "a/b", "no such.txt"])
async def test_a_name_from_outside_is_never_another_path(pb: PocketBaseClient, name: str) -> None:
    """It is one segment of the path, or not found."""
    made = await pb.collection("posts").create({"title": "x"})
    with pytest.raises(NotFound):
        await pb.collection("posts").read_file(made["id"], name)
