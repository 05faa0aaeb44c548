"""The example through the real PocketBase, by plain HTTP."""

import base64
from typing import Any

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.frontend import Frontend, Record, User
from tests.posts.author import entitle
from tests.user_without_purchase import sign_up_without_purchase

_POSTS = "/api/collections/posts/records"
_TEXT = "<p>Three words here</p>"
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg"
    "=="
)


async def _create(frontend: Frontend, user: User, **values: Any) -> Record:
    made: Record = await frontend.call("POST", _POSTS, token=user.token, body=values)
    return made


async def _update(frontend: Frontend, user: User, post: Record, **values: Any) -> Record:
    path = f"{_POSTS}/{post['id']}"
    changed: Record = await frontend.call("PATCH", path, token=user.token, body=values)
    return changed


async def _read_errors(call: Any) -> dict[str, str]:
    """The code of each field that an awaited call is refused for."""
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await call
    answer = refused.value.response
    assert answer.status_code == 400, answer.text
    return {name: error["code"] for name, error in answer.json()["data"].items()}


async def test_each_post_has_an_address_of_its_own(frontend: Frontend, author: User) -> None:
    """Of two posts with one title the second gets an ending, which it keeps."""
    first, second = [await _create(frontend, author, title="Twice told") for _ in range(2)]
    assert first["slug"] == "twice-told"
    assert second["slug"].startswith("twice-told-")
    again = await _update(frontend, author, second, title="Twice told!")
    assert again["slug"] == second["slug"]


async def test_the_address_is_fixed_by_publishing(frontend: Frontend, author: User) -> None:
    """A draft's address follows its title, a published post's does not, whatever comes later."""
    post = await _create(frontend, author, title="Working title", content=_TEXT)
    post = await _update(frontend, author, post, title="Final title", published=True)
    assert post["slug"] == "final-title"
    first = post["published_at"]
    assert first
    post = await _update(frontend, author, post, title="Better title", published=False)
    post = await _update(frontend, author, post, published=True)
    assert (post["slug"], post["published_at"]) == ("final-title", first)


async def test_a_plan_sets_the_number(
    frontend: Frontend, stack: Stack, superuser_token: str
) -> None:
    """With a plan for one post the second stays a draft until the first is one again."""
    user = sign_up_without_purchase(stack.pocketbase.url)
    entitle(stack.pocketbase.url, superuser_token, user, limit=1)
    first = await _create(frontend, user, title="First of one", content=_TEXT, published=True)
    draft = await _create(frontend, user, title="Second of one", content=_TEXT)
    errors = await _read_errors(_update(frontend, user, draft, published=True))
    assert errors == {"published": "validation_plan_limit"}
    await _update(frontend, user, first, content=_TEXT + _TEXT)
    await _update(frontend, user, first, published=False)
    assert (await _update(frontend, user, draft, published=True))["published"] is True


async def test_a_plan_that_has_ended_allows_nothing(
    frontend: Frontend, stack: Stack, superuser_token: str
) -> None:
    """An entitlement counts until its end, also when no webhook has said so."""
    user = sign_up_without_purchase(stack.pocketbase.url)
    entitle(stack.pocketbase.url, superuser_token, user, until="2026-01-01 00:00:00.000Z")
    draft = await _create(frontend, user, title="Too late", content=_TEXT)
    errors = await _read_errors(_update(frontend, user, draft, published=True))
    assert errors == {"published": "validation_not_in_plan"}


async def test_an_announcement_needs_its_image(frontend: Frontend, author: User) -> None:
    """Fields are judged together, and a file that comes with the request counts."""
    values = {"title": "Big news", "content": _TEXT, "published": True, "tags": ["Announcement"]}
    errors = await _read_errors(_create(frontend, author, **values))
    assert errors == {"featured_image": "validation_required"}
    answer = await frontend.http.post(
        _POSTS,
        data={**values, "published": "true"},
        files={"featured_image": ("news.png", _PNG, "image/png")},
        headers={"Authorization": author.token},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["featured_image"].startswith("news_")


async def test_nobody_writes_in_anothers_name(
    frontend: Frontend, author: User, stack: Stack
) -> None:
    """A post can't be made for another user, given away, or changed by one."""
    other = sign_up_without_purchase(stack.pocketbase.url)
    with pytest.raises(httpx.HTTPStatusError):
        await _create(frontend, other, title="Forged", author=author.id)
    post = await _create(frontend, other, title="Mine")
    errors = await _read_errors(_update(frontend, other, post, author=author.id))
    assert errors == {"author": "validation_author_fixed"}
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await _update(frontend, author, post, title="Yours")
    assert refused.value.response.status_code == 404


async def test_the_dashboard_keeps_to_the_rules(dashboard: Dashboard, author: User) -> None:
    """A superuser who writes for an author gets what the author would."""
    login = {"email": "editor@example.com", "password": "correct-horse"}
    body = {**login, "passwordConfirm": login["password"]}
    await dashboard.call("POST", "/api/collections/_superusers/records", body)
    editor = await dashboard.frontend.log_in(*login.values(), collection="_superusers")
    body = {"title": "By the Editor", "author": author.id, "content": "<p onclick=x>a</p>"}
    made = await dashboard.frontend.call("POST", _POSTS, token=editor, body=body)
    assert (made["slug"], made["content"]) == ("by-the-editor", "<p>a</p>")
