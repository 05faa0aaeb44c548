"""A recorded release, started with this release's code."""

import asyncio
import gzip
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.dev.plan import plan_throwaway
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack
from tests.notifications.mail_server import MailServer

_FOLDER = Path(__file__).parent
RELEASES = sorted(path.name.removesuffix(".sql.gz") for path in _FOLDER.glob("releases/*.sql.gz"))
#: Work of a recorded release is not too old to be done, however long ago it was recorded.
_REVIVE = {
    "gateway_notifications": "UPDATE gateway_notifications SET expires = '2999-01-01 00:00:00.000Z'"
}


@dataclass(frozen=True, slots=True)
class Upgraded:
    """The parts of this release on the data of an earlier one."""

    stack: Stack
    mail_server: MailServer
    #: Ids of users: stays, renamed, deleted.
    people: dict[str, str]
    #: Rows per table when it was recorded.
    rows: dict[str, int]
    _calls: Path

    def count(self, table: str) -> int:
        """Return the present number of rows."""
        with closing(sqlite3.connect(self.stack.pocketbase.data_dir / "data.db")) as database:
            query = f"SELECT count(*) FROM `{table}`"  # noqa: S608
            return int(database.execute(query).fetchone()[0])

    def calls(self, handler: str) -> list[str]:
        """Return the ids of the events that a handler was called for."""
        lines = self._calls.read_text().splitlines() if self._calls.exists() else []
        return [line.split()[1] for line in lines if line.startswith(f"{handler} ")]


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """The name of a recorded release."""
    return str(request.param)


@pytest_asyncio.fixture
async def upgraded(release: str, tmp_path: Path) -> AsyncIterator[Upgraded]:
    """Start this release on a recorded database; mails are accepted."""
    port, calls = pick_free(), tmp_path / "calls"
    env = {
        "GATEWAY_APP": "tests.upgrade.shop:app",
        "GATEWAY_EMAIL_NOTIFICATIONS": "receipt,payment_failed",
        "GATEWAY_MAIL_SENDER": "Shop <billing@shop.test>",
        "GATEWAY_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "SHOP_CALLS": str(calls),
    }
    stack = Stack(plan_throwaway(tmp_path, env))
    recorded = _restore(release, stack)
    async with MailServer(port) as mail_server:
        try:
            await asyncio.to_thread(stack.start)
            yield Upgraded(stack, mail_server, recorded["people"], recorded["rows"], calls)
        finally:
            await asyncio.to_thread(stack.stop)


def _restore(release: str, stack: Stack) -> dict[str, Any]:
    """Write the recorded database and Stripe account; return the other recorded facts."""
    folder = _FOLDER / "releases"
    data_dir = stack.pocketbase.data_dir
    data_dir.mkdir(parents=True)
    with closing(sqlite3.connect(data_dir / "data.db")) as database:
        database.executescript(
            gzip.decompress((folder / f"{release}.sql.gz").read_bytes()).decode()
        )
        for table, statement in _REVIVE.items():
            if database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table]).fetchone():
                database.execute(statement)
        database.commit()
    recorded: dict[str, Any] = json.loads(
        gzip.decompress((folder / f"{release}.json.gz").read_bytes())
    )
    stack.plan.simulator_state.write_text(json.dumps(recorded["account"]))
    return recorded
