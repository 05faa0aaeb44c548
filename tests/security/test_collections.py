"""Every collection of PocketBase, as callers who own none of its records.

The collections come from PocketBase, so that a new one is tested with the others.
"""

from collections.abc import Iterator

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.frontend import User
from tests.security.conftest import Owned

#: The catalogue, and published posts.
_PUBLIC = ("products", "prices", "posts")
_REFUSED = (400, 401, 403, 404)


@pytest.fixture(scope="module")
def pocketbase(stack: Stack) -> Iterator[httpx.Client]:
    """A client of PocketBase."""
    with httpx.Client(base_url=stack.pocketbase.url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(params=["stranger", "guest"])
def header(request: pytest.FixtureRequest, stranger: User) -> dict[str, str]:
    """The header of each caller."""
    return {"Authorization": stranger.token} if request.param == "stranger" else {}


def _read_collections(pocketbase: httpx.Client, root: dict[str, str]) -> list[str]:
    answer = pocketbase.get("/api/collections?perPage=500", headers=root).raise_for_status()
    return [each["name"] for each in answer.json()["items"]]


def _find_row(pocketbase: httpx.Client, path: str, root: dict[str, str]) -> str:
    """Return the id of one record of a collection, "" if it is empty."""
    rows = pocketbase.get(f"{path}?perPage=1&skipTotal=1", headers=root).raise_for_status()
    return next((str(row["id"]) for row in rows.json()["items"]), "")


def test_no_collection_shows_records_of_others(
    pocketbase: httpx.Client, owned: Owned, header: dict[str, str], superuser_token: str
) -> None:
    """Neither a list, nor its number, nor a filter on a hidden value leads to the owner's."""
    root = {"Authorization": superuser_token}
    private = (owned.user.id, owned.user.email, owned.ids["customer"], owned.ids["session_id"])
    names = _read_collections(pocketbase, root)
    assert len(names) > 30
    for name in names:
        path = f"/api/collections/{name}/records"
        for query in ("", f"?filter=id!='{owned.user.id}'", "?expand=user,organization,author"):
            answer = pocketbase.get(path + query, headers=header)
            assert answer.status_code in (200, *_REFUSED), name
            assert not any(value in answer.text for value in private), name
            if answer.status_code == 200 and name not in _PUBLIC:
                # A stranger's own records at most; `users` has one.
                assert answer.json()["totalItems"] <= 1, name


def test_no_record_of_others_can_be_changed(
    pocketbase: httpx.Client, owned: Owned, header: dict[str, str], superuser_token: str
) -> None:
    """Update and delete are refused in every collection, and change nothing."""
    root = {"Authorization": superuser_token}
    tried = 0
    for name in _read_collections(pocketbase, root):
        path = f"/api/collections/{name}/records"
        row = owned.user.id if name == "users" else _find_row(pocketbase, path, root)
        if not row:
            continue
        tried += 1
        own = f"{path}/{row}"
        for answer in (
            pocketbase.patch(own, headers=header, json={"user": "x", "name": "x", "title": "x"}),
            pocketbase.delete(own, headers=header),
        ):
            assert answer.status_code in _REFUSED, (name, answer.text)
        after = pocketbase.get(own, headers=root)
        assert after.status_code == 200, name
    assert tried > 10


def test_nothing_can_be_created_for_others(
    pocketbase: httpx.Client, owned: Owned, header: dict[str, str], superuser_token: str
) -> None:
    """Only users themselves, their teams and posts can be created, never in another's name."""
    root = {"Authorization": superuser_token}
    for name in _read_collections(pocketbase, root):
        body = {
            "user": owned.user.id,
            "author": owned.user.id,
            "organization": owned.ids["organization"],
            "role": "owner",
            "stripe_id": "forged_1",
            "title": "forged",
            "name": "forged",
        }
        if name == "organizations":
            continue  # Users may found their own; it has no member of these.
        answer = pocketbase.post(f"/api/collections/{name}/records", headers=header, json=body)
        assert answer.status_code in _REFUSED, (name, answer.text)
