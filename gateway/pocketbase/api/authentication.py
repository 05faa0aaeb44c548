"""Sign-in to an auth collection, and what belongs to an account."""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from gateway.pocketbase.api.caller import Caller, check_object
from gateway.pocketbase.api.errors import InvalidAnswer
from gateway.pocketbase.api.models import read_record
from gateway.pocketbase.api.paths import Names, Query, build_path, join_names

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Auth(Generic[T]):
    """A sign-in: use it by ``pb.with_token(auth.token)``."""

    token: str = field(repr=False)
    record: T
    #: The OAuth2 provider's description of the account, else empty.
    meta: dict[str, Any] = field(default_factory=dict, repr=False)


class Authentication(Generic[T]):
    """Signs accounts of one auth collection in.

    No method changes the client's own token: one client can serve many users at once.
    Every method raises a `PocketBaseError`; see `gateway.pocketbase.api.errors`.
    """

    _caller: Caller
    name: str
    _model: type[T] | None

    async def auth_methods(self) -> dict[str, Any]:
        """Return the ways to sign in: ``password``, ``oauth2``, ``otp`` and ``mfa``."""
        return await self._caller.get_object(self._auth_path("auth-methods"))

    async def auth_with_password(
        self,
        identity: str,
        password: str,
        *,
        identity_field: str | None = None,
        mfa_id: str | None = None,
        expand: Names | None = None,
        fields: Names | None = None,
    ) -> Auth[T]:
        """Sign in with a password.

        Args:
            identity: e-mail address, or another of the collection's identity fields.
            identity_field: which one; by default PocketBase tries all.
            mfa_id: of `MfaRequired`, if this is the second factor.

        Raises:
            ValidationFailed: no account has this identity and password.
            MfaRequired: pass its ``mfa_id`` to the second method.
        """
        body = {
            "identity": identity,
            "password": password,
            "identityField": identity_field,
            "mfaId": mfa_id,
        }
        return await self._sign_in("auth-with-password", body, expand, fields)

    async def request_otp(self, email: str) -> str:
        """Mail a one-time password; return the ``otp_id`` for `auth_with_otp`.

        PocketBase returns an id also where no account has this address.
        """
        answer = check_object(await self._post("request-otp", {"email": email}))
        return str(answer["otpId"])

    async def auth_with_otp(
        self,
        otp_id: str,
        password: str,
        *,
        mfa_id: str | None = None,
        expand: Names | None = None,
        fields: Names | None = None,
    ) -> Auth[T]:
        """Sign in with a one-time password that was mailed.

        Args:
            mfa_id: of `MfaRequired`, if this is the second factor.

        Raises:
            ValidationFailed: the password is wrong or has expired.
            MfaRequired: pass its ``mfa_id`` to the second method.
        """
        body = {"otpId": otp_id, "password": password, "mfaId": mfa_id}
        return await self._sign_in("auth-with-otp", body, expand, fields)

    async def auth_with_oauth2_code(
        self,
        provider: str,
        code: str,
        code_verifier: str,
        redirect_url: str,
        *,
        create_data: dict[str, Any] | None = None,
        mfa_id: str | None = None,
        expand: Names | None = None,
        fields: Names | None = None,
    ) -> Auth[T]:
        """Exchange an OAuth2 provider's code for a sign-in.

        Args:
            provider: a name of ``auth_methods()["oauth2"]["providers"]``.
            code_verifier: ``codeVerifier`` of the same entry.
            redirect_url: the one that the provider redirected to.
            create_data: fields of the account if it is created now.

        Raises:
            ValidationFailed: the provider or PocketBase refuses the code.
        """
        body = {
            "provider": provider,
            "code": code,
            "codeVerifier": code_verifier,
            "redirectURL": redirect_url,
            "createData": create_data,
            "mfaId": mfa_id,
        }
        return await self._sign_in("auth-with-oauth2", body, expand, fields)

    async def auth_refresh(
        self, *, expand: Names | None = None, fields: Names | None = None
    ) -> Auth[T]:
        """Check the client's own token; return a new one and the account's record.

        Raises:
            Unauthenticated: the token is not valid, or not of this collection.
        """
        return await self._sign_in("auth-refresh", {}, expand, fields)

    async def impersonate(
        self,
        id: str,
        duration: int = 0,
        *,
        expand: Names | None = None,
        fields: Names | None = None,
    ) -> Auth[T]:
        """Return a token of another account; the client must be a superuser's.

        Args:
            duration: seconds for which the token is valid, 0 for the collection's. It can't be
                refreshed.

        Raises:
            NotFound: there is no such account.
            Forbidden: the client is not a superuser's.
        """
        body = {"duration": duration} if duration else {}
        path = build_path("collections", self.name, "impersonate", id)
        return self._read_auth(
            await self._caller.call("POST", path, body, query=_select(expand, fields))
        )

    async def request_password_reset(self, email: str) -> None:
        """Mail a link to set a new password; the response does not reveal if the account exists."""
        await self._post("request-password-reset", {"email": email})

    async def confirm_password_reset(self, token: str, password: str) -> None:
        """Set a new password with a mailed token; all tokens of the account become void."""
        body = {"token": token, "password": password, "passwordConfirm": password}
        await self._post("confirm-password-reset", body)

    async def request_verification(self, email: str) -> None:
        """Mail a link that verifies the address."""
        await self._post("request-verification", {"email": email})

    async def confirm_verification(self, token: str) -> None:
        """Verify an address with a mailed token."""
        await self._post("confirm-verification", {"token": token})

    async def request_email_change(self, new_email: str) -> None:
        """Mail a link to the new address of the client's own account."""
        await self._post("request-email-change", {"newEmail": new_email})

    async def confirm_email_change(self, token: str, password: str) -> None:
        """Change the address with a mailed token; all tokens of the account become void."""
        await self._post("confirm-email-change", {"token": token, "password": password})

    def _auth_path(self, action: str) -> str:
        return build_path("collections", self.name, action)

    async def _post(self, action: str, body: dict[str, Any], query: Query | None = None) -> Any:
        given = {name: value for name, value in body.items() if value is not None}
        return await self._caller.call("POST", self._auth_path(action), given, query=query)

    async def _sign_in(
        self, action: str, body: dict[str, Any], expand: Names | None, fields: Names | None
    ) -> Auth[T]:
        return self._read_auth(await self._post(action, body, _select(expand, fields)))

    def _read_auth(self, answer: Any) -> Auth[T]:
        found = check_object(answer)
        token = found.get("token")
        if not isinstance(token, str):
            raise InvalidAnswer("PocketBase's answer to the sign-in has no token.")
        record = read_record(self._model, found.get("record"), self.name)
        return Auth(token, record, found.get("meta") or {})


def _select(expand: Names | None, fields: Names | None) -> Query:
    """Return the query; names of ``fields`` are of the record, as everywhere."""
    names = join_names(fields)
    if names:
        names = ",".join(["token", "meta", *(f"record.{each}" for each in names.split(","))])
    return {"expand": join_names(expand), "fields": names}
