"""A thin client of PocketBase's API for the gateway's superuser.

Its session is also the public client's (`gateway.pocketbase.api`), so that a process signs in once.
A call that is refused although its token was good is sent once more with a new one.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from gateway.errors import PocketBaseUnavailable
from gateway.http_client import trust_certificates
from gateway.json_codec import dump, load
from gateway.metrics import measure_call
from gateway.pocketbase.api.sessions import PasswordSession
from gateway.pocketbase.api.transport import USER_AGENT
from gateway.pocketbase.commit_connections import CommitConnections
from gateway.pocketbase.connections import Answer, Connections
from gateway.rows import Json
from gateway.settings import PocketBaseSettings
from gateway.vocabulary import CollectionNames

_LOGIN = "/api/collections/_superusers/auth-with-password"
_MAX_MESSAGE_CHARACTERS = 300
_NOT_JSON = (
    "The answer to a request to PocketBase is not PocketBase's: POCKETBASE_URL leads to another"
    " program, or a proxy answers in its place."
)


def _message(body: Json) -> str:
    return str(body.get("message") or "")[:_MAX_MESSAGE_CHARACTERS]


def _reason(status: int, body: Json) -> str:
    """Return PocketBase's message; a proxy's page has none."""
    known = {each.value: each.phrase for each in HTTPStatus}
    return _message(body) or f"{known.get(status, 'no reason')}, without PocketBase's message"


class PocketBaseRefused(Exception):
    """PocketBase answered with a 4xx: the request is wrong, and stays wrong."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(_message(body) or f"HTTP {status}")
        self.status = status
        self.body = body


class PocketBase:
    """Calls PocketBase as the superuser of the settings, or with a user's token.

    A context manager that closes its connections.
    """

    def __init__(self, settings: PocketBaseSettings) -> None:
        self._settings = settings
        # Pools of their own: slow transforms hold forwarded writes, and may look things up, for
        # which deliveries and purchases must not wait.
        options = (
            settings.pocketbase_url,
            {"User-Agent": USER_AGENT},
            settings.gateway_upstream_timeout,
            trust_certificates(),
        )
        self._commits = CommitConnections(*options)
        self._calls = Connections(*options)
        self._user_calls = Connections(*options)
        self._forwards = Connections(*options)
        #: The superuser's token, for every client of this process.
        self.session = PasswordSession(self._sign_in)

    async def __aenter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        for pool in (self._commits, self._calls, self._user_calls, self._forwards):
            await pool.close()

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        is_commit: bool = False,
    ) -> Json:
        """Send one request and return the decoded answer ({} when there is none).

        Args:
            is_commit: use the connections that deliveries do not share with other calls.
            body: bytes are sent as they are, anything else as JSON.
            token: a user's token; without it the superuser's is used.
            headers: further ones.

        Raises:
            PocketBaseRefused: PocketBase answered 4xx.
            PocketBaseUnavailable: no connection, no answer in time, or a 5xx.
        """
        if query:
            path = f"{path}?{urlencode(query)}"
        if token is not None:
            return await self._send(self._user_calls, method, path, body, token, headers)
        pool = self._commits if is_commit else self._calls
        used = await self.session.get_token()
        try:
            return await self._send(pool, method, path, body, used, headers)
        except PocketBaseRefused as refused:
            # A caller with an invalid token is a guest, and records answer 403.
            if refused.status not in (401, 403):
                raise
        renewed = await self.session.renew(used)
        return await self._send(pool, method, path, body, renewed, headers)

    @property
    def collection_names(self) -> CollectionNames:
        """The names of the gateway's collections."""
        return self._settings.collection_names

    def records_path(self, collection: str) -> str:
        """Return the path of the records of one of the gateway's collections, by its key."""
        return f"/api/collections/{self.collection_names.of(collection)}/records"

    async def forward(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Send one request as it is, and return the answer as it is.

        Raises:
            PocketBaseUnavailable: no connection, or no answer in time.
        """
        try:
            with measure_call("PocketBase", method, path) as call:
                answer = await self._forwards.request(method, path, headers, body)
                call.status = answer.status
                return answer
        except OSError as error:
            raise PocketBaseUnavailable from error

    async def _sign_in(self) -> str:
        credentials = {
            "identity": self._settings.pocketbase_superuser_email,
            "password": self._settings.pocketbase_superuser_password.get_secret_value(),
        }
        try:
            answer = await self._send(self._commits, "POST", _LOGIN, credentials, "")
        except PocketBaseRefused as error:
            raise PocketBaseUnavailable(_describe_refusal(error)) from error
        if "token" not in answer:
            raise PocketBaseUnavailable("PocketBase's answer to the sign-in has no token.")
        return str(answer["token"])

    async def _send(
        self,
        pool: Connections | CommitConnections,
        method: str,
        path: str,
        body: Any,
        token: str,
        further: Mapping[str, str] | None = None,
    ) -> Json:
        headers = dict(further or {})
        if token:
            headers["Authorization"] = token
        data = body
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = body if isinstance(body, bytes) else dump(body)
        try:
            with measure_call("PocketBase", method, path) as call:
                answer = await pool.request(method, path, headers, data)
                call.status = answer.status
        except OSError as error:
            raise PocketBaseUnavailable from error
        return _read(answer.status, answer.body)


def _describe_refusal(refused: PocketBaseRefused) -> str:
    """Explain why the superuser can't sign in, and what to change."""
    if "mfaId" in refused.body:
        return (
            "PocketBase asks the gateway's superuser for a second factor (MFA), which a program"
            " does not have: exempt this superuser in the MFA rule of the collection _superusers"
            " by a migration (docs/guides/go-live.md)."
        )
    if refused.status == 400:
        return (
            "PocketBase refuses the gateway's superuser:"
            " check POCKETBASE_SUPERUSER_EMAIL and POCKETBASE_SUPERUSER_PASSWORD."
        )
    return f"PocketBase refuses to sign the gateway's superuser in: {refused.status}, {refused}"


def _read(status: int, raw: bytes) -> Json:
    try:
        answer = load(raw) if raw else {}
    except ValueError:
        if status < 400:
            raise PocketBaseUnavailable(_NOT_JSON) from None
        answer = {}
    if not 200 <= status < 300 and status < 400:
        raise PocketBaseUnavailable(_NOT_JSON)
    body = answer if isinstance(answer, dict) else {"items": answer}
    # 429 is PocketBase's own rate limit, 408 a proxy's time-out: the request is right and may come
    # again.
    if status >= 500 or status in (408, 429):
        raise PocketBaseUnavailable(f"PocketBase answered {status}: {_reason(status, body)}")
    if status >= 400:
        raise PocketBaseRefused(status, body)
    return body
