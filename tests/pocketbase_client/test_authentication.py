"""Ways to sign in, and tokens that end."""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.ports import pick_free
from gateway.pocketbase import PocketBase as GatewayClient
from gateway.pocketbase import open_pocketbase_client
from gateway.pocketbase.api import (
    Auth,
    Credentials,
    Forbidden,
    MfaRequired,
    NotFound,
    PocketBaseClient,
    Unauthenticated,
    Unavailable,
    ValidationFailed,
)
from gateway.settings import PocketBaseSettings
from tests.deadline import eventually
from tests.notifications.mail_server import MailServer
from tests.pocketbase_client.blog import Author
from tests.pocketbase_client.conftest import sign_up
from tests.pocketbase_client.oauth2_provider import OAuth2Provider

_Account = tuple[str, str]


@pytest_asyncio.fixture
async def account(pb: PocketBaseClient) -> _Account:
    """Address and password of a user."""
    email, password = f"{secrets.token_hex(6)}@example.com", secrets.token_urlsafe(12)
    body = {"email": email, "password": password, "passwordConfirm": password}
    await pb.collection("users").create(body)
    return email, password


@pytest_asyncio.fixture
async def mails(pb: PocketBaseClient) -> AsyncIterator[MailServer]:
    """The mails of PocketBase."""
    port = pick_free()
    before = (await pb.settings.get())["smtp"]
    smtp = {"enabled": True, "host": "127.0.0.1", "port": port, "username": "", "tls": False}
    async with MailServer(port) as server:
        await pb.settings.update({"smtp": smtp})
        yield server
        await pb.settings.update({"smtp": before})


async def _read_mail(mails: MailServer, pattern: str) -> str:
    async def find() -> str:
        texts = [
            part.get_content() for mail in mails.mails for part in mail.walk() if _is_text(part)
        ]
        found = [match[1] for text in texts if (match := re.search(pattern, text))]
        return found[-1] if found else ""

    return await eventually(find)


async def _wait_sent(pb: PocketBaseClient, otp_id: str) -> None:
    """Wait until PocketBase has stored the address, which it does after it has sent the mail.

    Only a password with a stored address verifies that address.
    """

    async def is_stored() -> bool:
        return bool((await pb.collection("_otps").get(otp_id))["sentTo"])

    await eventually(is_stored)


def _is_text(part: Any) -> bool:
    return str(part.get_content_maintype()) == "text"


async def test_a_password_signs_in_and_changes_no_client(
    pb: PocketBaseClient, guest: PocketBaseClient, account: _Account
) -> None:
    """The token makes a client of its own; the one that signed in stays what it was."""
    auth = await guest.collection("users", Author).auth_with_password(*account)
    assert isinstance(auth.record, Author)
    user = pb.with_token(auth.token)
    assert (await user.collection("users").auth_refresh()).record["id"] == auth.record.id
    assert await guest.token() == ""
    with pytest.raises(Unauthenticated):
        await guest.collection("users").auth_refresh()
    assert auth.token not in repr(auth)


async def test_fields_and_expand_select_of_the_record(
    guest: PocketBaseClient, account: _Account
) -> None:
    """The token is there all the same."""
    auth = await guest.collection("users").auth_with_password(*account, fields="id")
    assert set(auth.record) == {"id"}
    assert auth.token


async def test_a_refreshed_token_works(user: PocketBaseClient, pb: PocketBaseClient) -> None:
    """auth_refresh returns another one."""
    auth = await user.collection("users").auth_refresh()
    again = await pb.with_token(auth.token).collection("users").auth_refresh()
    assert again.record["id"] == auth.record["id"]


async def test_the_methods_are_listed(guest: PocketBaseClient) -> None:
    """By PocketBase's names."""
    assert {"password", "oauth2", "otp", "mfa"} <= set(
        await guest.collection("users").auth_methods()
    )


async def test_a_second_factor_is_asked_for_and_given(
    pb: PocketBaseClient, account: _Account, mails: MailServer
) -> None:
    """A password raises MfaRequired; a mailed one-time password with its id signs in."""
    change = {"otp": {"enabled": True}, "mfa": {"enabled": True, "rule": ""}}
    await pb.collections.update("users", change)
    users = pb.as_guest().collection("users")
    try:
        with pytest.raises(MfaRequired) as caught:
            await users.auth_with_password(*account)
        assert caught.value.mfa_id
        otp_id = await users.request_otp(account[0])
        code = await _read_mail(mails, r"\b(\d{8})\b")
        with pytest.raises(ValidationFailed):
            await users.auth_with_otp(otp_id, "wrong", mfa_id=caught.value.mfa_id)
        auth = await users.auth_with_otp(otp_id, code, mfa_id=caught.value.mfa_id)
        assert auth.record["email"] == account[0]
    finally:
        await pb.collections.update("users", {"mfa": {"enabled": False}, "otp": {"enabled": False}})


async def test_a_mailed_password_alone_signs_in(
    pb: PocketBaseClient, account: _Account, mails: MailServer
) -> None:
    """A collection with OTP and without a second factor."""
    await pb.collections.update("users", {"otp": {"enabled": True}})
    users = pb.as_guest().collection("users")
    try:
        otp_id = await users.request_otp(account[0])
        code = await _read_mail(mails, r"\b(\d{8})\b")
        await _wait_sent(pb, otp_id)
        auth = await users.auth_with_otp(otp_id, code)
        assert auth.record["verified"] is True
    finally:
        await pb.collections.update("users", {"otp": {"enabled": False}})


async def test_mailed_tokens_verify_reset_and_change(
    pb: PocketBaseClient, account: _Account, mails: MailServer
) -> None:
    """Verification, password reset and change of address."""
    users = pb.as_guest().collection("users")
    await users.request_verification(account[0])
    await users.confirm_verification(await _read_mail(mails, r"confirm-verification/([\w.-]+)"))
    await users.request_password_reset(account[0])
    token = await _read_mail(mails, r"confirm-password-reset/([\w.-]+)")
    await users.confirm_password_reset(token, "another-password")
    auth = await users.auth_with_password(account[0], "another-password")
    assert auth.record["verified"] is True
    new = f"new-{account[0]}"
    await pb.with_token(auth.token).collection("users").request_email_change(new)
    token = await _read_mail(mails, r"confirm-email-change/([\w.-]+)")
    await users.confirm_email_change(token, "another-password")
    assert await users.auth_with_password(new, "another-password")


async def test_a_providers_code_signs_in(pb: PocketBaseClient) -> None:
    """The account is created at the first sign-in; a wrong code is refused."""
    name = f"{secrets.token_hex(6)}@example.com"
    account: dict[str, object] = {"sub": "1", "email": name, "email_verified": True, "name": "Bo"}
    async with OAuth2Provider("right", account) as server:
        provider = {
            "name": "oidc",
            "clientId": "client",
            "clientSecret": "secret",
            "authURL": f"{server.url}/auth",
            "tokenURL": f"{server.url}/token",
            "userInfoURL": f"{server.url}/user",
        }
        await pb.collections.update("users", {"oauth2": {"enabled": True, "providers": [provider]}})
        users = pb.as_guest().collection("users")
        try:
            [offered] = (await users.auth_methods())["oauth2"]["providers"]
            verifier = offered["codeVerifier"]
            with pytest.raises(ValidationFailed):
                await users.auth_with_oauth2_code("oidc", "wrong", verifier, "http://x/redirect")
            auth = await users.auth_with_oauth2_code("oidc", "right", verifier, "http://x/redirect")
        finally:
            await pb.collections.update("users", {"oauth2": {"enabled": False, "providers": []}})
    assert auth.record["email"] == name
    assert auth.meta["isNew"] is True
    assert auth.meta["name"] == "Bo"


async def test_a_superuser_impersonates_and_a_user_does_not(
    pb: PocketBaseClient, user: PocketBaseClient
) -> None:
    """The token is the other account's, for the seconds that were asked for."""
    other = await sign_up(pb)
    id = other.record["id"]
    auth = await pb.collection("users").impersonate(id, 60)
    assert auth.record["id"] == id
    as_other = pb.with_token(auth.token)
    assert (await as_other.collection("users").get(id))["id"] == id
    with pytest.raises(NotFound):
        await pb.collection("users").impersonate("x" * 15)
    with pytest.raises(Forbidden):
        await user.collection("users").impersonate(id)


async def test_an_expired_token_is_refused_and_not_a_guests(
    pb: PocketBaseClient, author: Auth[dict[str, Any]]
) -> None:
    """PocketBase itself would answer a list as to a guest, without an error."""
    body = {"title": "mine", "author": author.record["id"]}
    await pb.collection("posts").create(body)
    auth = await pb.collection("users").impersonate(author.record["id"], 1)
    posts = pb.with_token(auth.token).collection("posts")
    assert await posts.count("title = 'mine'") >= 1
    until = time.time() + 2

    async def is_refused() -> bool:
        try:
            await posts.count("title = 'mine'")
        except Unauthenticated as error:
            return "expired" in error.message
        return False

    await eventually(is_refused)
    assert time.time() < until + 5


async def test_credentials_sign_in_once_for_concurrent_calls(
    server: PocketBaseProcess, credentials: Credentials
) -> None:
    """And the password is not shown."""
    async with PocketBaseClient(server.url, credentials=credentials) as client:
        await asyncio.gather(*(client.collection("posts").list() for _ in range(20)))
        tokens = {await client.token() for _ in range(3)}
    assert len(tokens) == 1
    assert server.superuser_password not in repr(credentials)


async def test_a_token_that_became_void_is_renewed(
    server: PocketBaseProcess, pb: PocketBaseClient, account: _Account
) -> None:
    """A new password voids all tokens; the next call signs in again."""
    email, password = account
    credentials = Credentials(email, password, "users")
    async with PocketBaseClient(server.url, credentials=credentials) as client:
        me = (await client.collection("users").auth_refresh()).record["id"]
        first = await client.token()
        await pb.collection("users").update(me, {"password": password, "passwordConfirm": password})
        assert (await client.collection("users").auth_refresh()).record["id"] == me
        assert await client.token() != first


async def test_wrong_credentials_are_the_servers_fault_and_not_a_clients(
    server: PocketBaseProcess,
) -> None:
    """An endpoint answers 503, not 400: its caller can't change that."""
    credentials = Credentials(server.superuser_email, "wrong")
    async with PocketBaseClient(server.url, credentials=credentials) as client:
        with pytest.raises(Unavailable, match="_superusers"):
            await client.collection("posts").list()


async def test_a_session_can_be_shared(server: PocketBaseProcess) -> None:
    """The gateway's own client and the public one sign in once, and renew for each other."""
    settings = PocketBaseSettings(
        pocketbase_url=server.url,
        pocketbase_superuser_email=server.superuser_email,
        pocketbase_superuser_password=SecretStr(server.superuser_password),
    )
    async with GatewayClient(settings) as own, open_pocketbase_client(settings, own.session) as pb:
        await own.call("GET", "/api/collections")
        token = await own.session.get_token()
        assert await pb.token() == token
        renewed = await own.session.renew(token)
        assert await pb.token() == renewed
        assert await pb.collections.list()
