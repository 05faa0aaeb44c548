"""PocketBase's superusers: one for the gateway, which is created at the first start, and people's.

Separate accounts: the gateway's password lies on the server and it can't use a second factor.
"""

from dataclasses import dataclass, field
from urllib.parse import quote

from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.rows import Json
from gateway.setup.errors import SetupError

_RECORDS = "/api/collections/_superusers/records"
_MAX_LISTED = 500


@dataclass(frozen=True, slots=True)
class Person:
    """A superuser for people."""

    email: str
    password: str = field(repr=False)


async def list_people(pocketbase: PocketBase, gateway_email: str) -> list[str]:
    """Return the addresses of the superusers besides the gateway's.

    Raises:
        PocketBaseUnavailable: it does not answer, or refuses the gateway's superuser.
    """
    query: dict[str, str | int] = {"perPage": _MAX_LISTED, "fields": "email"}
    found = await pocketbase.call("GET", _RECORDS, query=query)
    emails = [str(each["email"]) for each in found["items"]]
    return [each for each in emails if each.lower() != gateway_email.lower()]


async def create_person(pocketbase: PocketBase, person: Person) -> None:
    """Create a superuser for people.

    Raises:
        SetupError: PocketBase refuses the address or the password.
        PocketBaseUnavailable: it does not answer.
    """
    body = {
        "email": person.email,
        "password": person.password,
        "passwordConfirm": person.password,
        "verified": True,
    }
    try:
        await pocketbase.call("POST", _RECORDS, body)
    except PocketBaseRefused as refused:
        reasons = describe_fields(refused)
        raise SetupError(f"PocketBase refuses the superuser {person.email}: {reasons}") from refused


def describe_fields(refused: PocketBaseRefused) -> str:
    """Return PocketBase's reasons, one per field."""
    found = [f"{name}: {text}" for name, text in _flatten(refused.body.get("data") or {})]
    return "; ".join(found) or str(refused)


def _flatten(data: Json, prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in data.items():
        path = f"{prefix}{quote(str(name), safe='')}"
        if isinstance(value, dict) and isinstance(value.get("message"), str):
            found.append((path, value["message"]))
        elif isinstance(value, dict):
            found += _flatten(value, f"{path}.")
    return found
