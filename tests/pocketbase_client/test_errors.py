"""Every failure is an exception with PocketBase's status, message and data."""

from collections.abc import Awaitable, Callable

import pytest

from gateway import errors
from gateway.dev.ports import pick_free
from gateway.pocketbase.api import (
    Forbidden,
    NotFound,
    PocketBaseClient,
    PocketBaseError,
    RateLimited,
    Unauthenticated,
    Unavailable,
    ValidationFailed,
)
from tests.pocketbase_client.conftest import sign_up

_Call = Callable[[PocketBaseClient], Awaitable[object]]

#: By name: what a guest calls, what it raises, and the status.
_REFUSED: dict[str, tuple[_Call, type[PocketBaseError], int]] = {
    "list of an unknown collection": (lambda pb: pb.collection("nope").list(), NotFound, 404),
    "unknown record": (lambda pb: pb.collection("posts").get("x" * 15), NotFound, 404),
    "create by rule": (
        lambda pb: pb.collection("posts").create({"title": "x"}),
        PocketBaseError,
        400,
    ),
    "create without a rule": (
        lambda pb: pb.collection("stripe_events").create({"x": 1}),
        Forbidden,
        403,
    ),
    "update by rule": (
        lambda pb: pb.collection("posts").update("x" * 15, {"title": "x"}),
        NotFound,
        404,
    ),
    "delete by rule": (lambda pb: pb.collection("posts").delete("x" * 15), NotFound, 404),
    "list for superusers": (lambda pb: pb.collection("stripe_events").list(), Forbidden, 403),
    "collections": (lambda pb: pb.collections.list(), Unauthenticated, 401),
    "refresh without a token": (
        lambda pb: pb.collection("users").auth_refresh(),
        Unauthenticated,
        401,
    ),
    "bad filter": (lambda pb: pb.collection("posts").list(filter="a ="), ValidationFailed, 400),
    "bad sort": (lambda pb: pb.collection("posts").list(sort="nope"), ValidationFailed, 400),
    "wrong password": (
        lambda pb: pb.collection("users").auth_with_password("a@example.com", "wrong"),
        ValidationFailed,
        400,
    ),
    "unknown route": (lambda pb: pb.send("GET", "/api/nope"), NotFound, 404),
}


@pytest.mark.parametrize("name", _REFUSED)
async def test_a_refusal_has_its_own_exception(guest: PocketBaseClient, name: str) -> None:
    """With the status of the response and PocketBase's message."""
    call, kind, status = _REFUSED[name]
    with pytest.raises(kind) as caught:
        await call(guest)
    assert caught.value.status == status
    assert caught.value.message
    assert caught.value.message == str(caught.value)


async def test_a_refused_value_is_named_by_its_field(user: PocketBaseClient) -> None:
    """`fields` has PocketBase's code, message and params for each; `data` is the body's."""
    body = {"title": "x" * 51, "tags": ["unknown"], "due": "not a date"}
    with pytest.raises(ValidationFailed) as caught:
        await user.collection("posts").create(body)
    error = caught.value
    assert error.fields["title"].code == "validation_max_text_constraint"
    assert error.fields["title"].params["max"] == 50
    assert error.fields["tags"].code == "validation_invalid_value"
    assert error.data["title"]["message"] == error.fields["title"].message


async def test_a_user_is_no_superuser(user: PocketBaseClient) -> None:
    """Forbidden, not Unauthenticated: the token is valid."""
    with pytest.raises(Forbidden):
        await user.collections.list()


async def test_errors_are_the_gateways_too(guest: PocketBaseClient) -> None:
    """An endpoint that lets one through answers with its status, message and data."""
    with pytest.raises(errors.NotFound) as caught:
        await guest.collection("posts").get("x" * 15)
    document = errors.describe(caught.value)
    assert (document["status"], document["type"]) == (404, "urn:problem:not-found")
    assert document["message"] == "The requested resource wasn't found."
    with pytest.raises(errors.InvalidRequest) as refused:
        await guest.collection("users").create({"email": "x"})
    document = errors.describe(refused.value)
    assert document["status"] == 400
    assert document["data"]["password"]["code"] == "validation_required"


async def test_a_rate_limit_is_waited_for_and_then_raised(pb: PocketBaseClient) -> None:
    """Within the time-out a 429 is tried again; after the last attempt it is RateLimited."""
    path = "/api/collections/users/auth-methods"
    rule = {"label": path, "maxRequests": 1, "duration": 2, "audience": ""}
    limits = {"enabled": True, "rules": [rule], "excludedIPs": []}
    patient = PocketBaseClient(pb.url, retries=4)
    hasty = PocketBaseClient(pb.url, retries=0)
    before = (await pb.settings.get())["rateLimits"]
    await pb.settings.update({"rateLimits": limits})
    try:
        async with patient, hasty:
            await patient.collection("users").auth_methods()
            with pytest.raises(RateLimited) as caught:
                await hasty.collection("users").auth_methods()
            assert caught.value.status == 429
            assert caught.value.retry_after > 0
            await patient.collection("users").auth_methods()
    finally:
        await pb.settings.update({"rateLimits": before})


async def test_no_pocketbase_is_unavailable() -> None:
    """Nothing listens there: 503, and a time to wait."""
    async with PocketBaseClient(f"http://127.0.0.1:{pick_free()}", retries=1) as client:
        with pytest.raises(Unavailable) as caught:
            await client.collection("posts").list()
    assert caught.value.status == 503
    assert caught.value.retry_after
    assert isinstance(caught.value, errors.PocketBaseUnavailable)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8090", "ftp://x", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """When the client is made, not at the first call."""
    with pytest.raises(ValueError, match="not the address"):
        PocketBaseClient(url)


async def test_a_call_after_a_refusal_works(pb: PocketBaseClient) -> None:
    """A refused superuser call does not sign in for good: the next one is a superuser's."""
    user = await sign_up(pb)
    with pytest.raises(NotFound):
        await pb.collection("users").get("x" * 15)
    assert (await pb.collection("users").get(user.record["id"]))["id"] == user.record["id"]
