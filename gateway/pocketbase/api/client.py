"""An async client of PocketBase's API: the entry point, see docs/pocketbase-client.md."""

from types import TracebackType
from typing import Any, Generic, Self, TypeVar, overload

from pydantic import BaseModel

from gateway.pocketbase.api.administration import AppSettings, Backups, Crons, Logs
from gateway.pocketbase.api.authentication import Authentication
from gateway.pocketbase.api.batch import Batch
from gateway.pocketbase.api.bodies import write_value
from gateway.pocketbase.api.caller import Caller, open_session
from gateway.pocketbase.api.errors import NotFound
from gateway.pocketbase.api.files import Files, fetch_file_token
from gateway.pocketbase.api.models import Record
from gateway.pocketbase.api.paths import Query, build_path
from gateway.pocketbase.api.realtime import Realtime
from gateway.pocketbase.api.records import Records
from gateway.pocketbase.api.schema import Collections
from gateway.pocketbase.api.sessions import Credentials, GuestSession, Session, TokenSession
from gateway.pocketbase.api.transport import Transport

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

_TIMEOUT_SECONDS = 10.0
_RETRIES = 2


class Collection(Records[T], Authentication[T], Files[T], Realtime[T], Generic[T]):
    """One collection: its records, files and changes; of an auth collection also its sign-in."""


class PocketBaseClient:
    """A client of one PocketBase, as one caller: guest, user or superuser.

    A context manager that closes its connections. Safe for concurrent calls of one event loop.
    """

    def __init__(
        self,
        url: str,
        *,
        credentials: Credentials | None = None,
        session: Session | None = None,
        timeout: float = _TIMEOUT_SECONDS,
        retries: int = _RETRIES,
        certificates: str | None = None,
    ) -> None:
        """Take an address; nothing is sent before the first call.

        Args:
            url: for example ``http://127.0.0.1:8090``.
            credentials: sign in as this account, by default a superuser, and renew the token in
                time. Without them the client is a guest's.
            session: instead of credentials, the tokens of another client.
            timeout: seconds for a call with its retries.
            retries: further attempts after a connection that failed and after a 429. What may
                have been served is sent again only if it is a GET.
            certificates: a file of authorities to trust besides the system's.

        Raises:
            ValueError: the URL is not an http(s) address.
        """
        transport = Transport(url, timeout=timeout, retries=retries, certificates=certificates)
        if session is None:
            session = open_session(transport, credentials) if credentials else GuestSession()
        self._set(transport, session, owns_transport=True)

    def _set(self, transport: Transport, session: Session, *, owns_transport: bool) -> None:
        self._transport = transport
        self._caller = Caller(transport, session)
        self._owns_transport = owns_transport
        self.collections = Collections(self._caller)
        self.settings = AppSettings(self._caller)
        self.logs = Logs(self._caller)
        self.backups = Backups(self._caller)
        self.crons = Crons(self._caller)

    @property
    def url(self) -> str:
        """PocketBase's address, without a slash at the end."""
        return self._transport.url

    @overload
    def collection(self, name: str) -> Collection[Record]: ...
    @overload
    def collection(self, name: str, model: type[M]) -> Collection[M]: ...
    def collection(self, name: str, model: type[Any] | None = None) -> Collection[Any]:
        """Return a collection.

        Args:
            name: name or id.
            model: a Pydantic model for its records, by default dicts.
        """
        return Collection(self._caller, name, model)

    def batch(self, *, timeout: float | None = None) -> Batch:
        """Begin writes that become one transaction: ``async with pb.batch() as batch: …``."""
        return Batch(self._caller, timeout)

    def with_token(self, token: str) -> "PocketBaseClient":
        """Return a client of another caller that shares the connections.

        Args:
            token: of a user or superuser; it is not renewed.

        Raises:
            Unauthenticated: this is not a token.
        """
        return self._share(TokenSession(token))

    def as_guest(self) -> "PocketBaseClient":
        """Return a client without a token that shares the connections."""
        return self._share(GuestSession())

    def _share(self, session: Session) -> "PocketBaseClient":
        found = PocketBaseClient.__new__(PocketBaseClient)
        found._set(self._transport, session, owns_transport=False)
        return found

    async def token(self) -> str:
        """Return the token that the next call sends, "" for a guest.

        Raises:
            Unauthenticated: it has expired and can't be renewed.
        """
        return await self._caller.session.get_token()

    async def file_token(self) -> str:
        """Return a token for protected files of this account, valid for some minutes."""
        return await fetch_file_token(self._caller)

    async def health(self) -> dict[str, Any]:
        """Return PocketBase's health: ``message``, and ``data`` for superusers.

        Raises:
            Unavailable: it does not answer.
        """
        return await self._caller.get_object(build_path("health"))

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Query | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Send a request to any route, for example of your own hooks; return its JSON.

        Args:
            path: starts with ``/``; quote what comes from outside.
            body: sent as JSON; dates as PocketBase stores them.
            timeout: seconds, by default the client's.

        Raises:
            ValueError: the path does not start with a slash.
            PocketBaseError: the route answered with an error.
        """
        if not path.startswith("/"):
            raise ValueError("the path starts with a slash")
        if {".", ".."} & set(path.split("?")[0].split("/")):
            raise NotFound("The path has a segment that is not valid.")
        value = None if body is None else write_value(body)
        return await self._caller.call(method, path, value, query=query, timeout=timeout)

    async def close(self) -> None:
        """Close the connections, unless they belong to another client."""
        if self._owns_transport:
            await self._transport.close()

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
        await self.close()
