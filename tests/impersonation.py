"""A record of another auth collection that has the id of a user."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx

from gateway.dev.pocketbase import PocketBaseProcess
from tests.frontend import User


@contextmanager
def impersonate_user(pocketbase: PocketBaseProcess, root: str, user: User) -> Iterator[str]:
    """Give the token of a `members` record with the user's id, until the context ends.

    PocketBase's API refuses such an id, so it is written past PocketBase, as an import might.

    Args:
        root: a superuser's token.
    """
    with httpx.Client(
        base_url=f"{pocketbase.url}/api",
        headers={"Authorization": root},
        trust_env=False,
    ) as client:
        client.post("collections", json={"name": "members", "type": "auth"}).raise_for_status()
        try:
            password = {"password": user.password, "passwordConfirm": user.password}
            member = {"email": user.email, **password}
            client.post("collections/members/records", json=member).raise_for_status()
            with closing(sqlite3.connect(pocketbase.data_dir / "data.db", timeout=5)) as database:
                database.execute("UPDATE members SET id = ?", [user.id])
                database.commit()
            login = {"identity": user.email, "password": user.password}
            answer = client.post(
                "collections/members/auth-with-password", json=login
            ).raise_for_status()
            assert answer.json()["record"]["id"] == user.id
            yield answer.json()["token"]
        finally:
            client.delete("collections/members").raise_for_status()
