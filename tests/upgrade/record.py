"""Records the database of this release for the upgrade test of later ones.

    python -m tests.upgrade.record NAME

Writes two compressed files below ``releases``: PocketBase's database as SQL, and as JSON the
simulated account, the buyers, and the number of rows per table. Purchases are made through the real
parts. At the end mails wait for a mail server, one handler has failed, one was killed while it ran,
and changes of users wait for Stripe.
"""

import asyncio
import gzip
import json
import re
import sqlite3
import sys
import tempfile
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from gateway.dev.plan import plan_throwaway
from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack
from gateway.testing.purchases import Buy
from gateway.testing.simulator import Simulator
from gateway.testing.users import SignedUpUser, SignUp
from gateway.testing.waiting import eventually

_FOLDER = Path(__file__).parent
RELEASES = _FOLDER / "releases"
#: The throwaway stack's; a later stack has its own.
_SECRET = re.compile(r"whsec_\w+")
_KINDS = "receipt,payment_failed"


@dataclass(frozen=True, slots=True)
class _People:
    """Buyers, by what happens to them after their purchase."""

    stays: SignedUpUser
    renamed: SignedUpUser
    deleted: SignedUpUser


async def _buy(stack: Stack, ends: AsyncExitStack) -> _People:
    client = await ends.enter_async_context(httpx2.AsyncClient(trust_env=False, timeout=30))
    simulator, sign_up = Simulator(stack, client), SignUp(stack, ends)
    people = _People(
        await sign_up("stays@shop.test"),
        await sign_up("renamed@shop.test"),
        await sign_up("deleted@shop.test"),
    )
    for user in (people.stays, people.renamed, people.deleted):
        await Buy(stack, client, simulator, user)("pro_monthly")
    return people


def _count(stack: Stack, where: str) -> int:
    query = f"SELECT count(*) FROM gateway_work WHERE {where}"  # noqa: S608
    with closing(sqlite3.connect(stack.pocketbase.data_dir / "data.db")) as database:
        return int(database.execute(query).fetchone()[0])


async def _record(stack: Stack) -> dict[str, Any]:
    async with AsyncExitStack() as ends:
        people = await _buy(stack, ends)

        async def is_under_way() -> bool:
            wanted = (
                "handler LIKE '%.hang' AND status = 'running'",
                "handler LIKE '%.refuse' AND error != ''",
            )
            return all(_count(stack, where) == 3 for where in wanted)

        await eventually(is_under_way, 30)
        stack.gateway.kill()
        await people.renamed.pb.collection("users").update(
            people.renamed.id, {"name": "Renamed Buyer"}
        )
        await people.deleted.pb.collection("users").delete(people.deleted.id)
        return {name: getattr(people, name).id for name in _People.__slots__}


def _dump(data_dir: Path, target: Path) -> dict[str, int]:
    """Write the database as SQL; return the number of rows per table."""
    with closing(sqlite3.connect(data_dir / "data.db")) as database:
        with gzip.GzipFile(target, "w", mtime=0) as file:
            for line in database.iterdump():
                file.write(f"{line}\n".encode())
        tables = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        ).fetchall()
        return {
            name: database.execute(f"SELECT count(*) FROM `{name}`").fetchone()[0]  # noqa: S608
            for (name,) in tables
        }


def main(name: str) -> None:
    """Record this release under a name."""
    with tempfile.TemporaryDirectory() as folder:
        env = {
            "GATEWAY_APP": "tests.upgrade.shop:app",
            "GATEWAY_EMAIL_NOTIFICATIONS": _KINDS,
            "GATEWAY_MAIL_SENDER": "Shop <billing@shop.test>",
            "GATEWAY_SMTP_URL": f"smtp://127.0.0.1:{pick_free()}",
            "SHOP_CALLS": f"{folder}/calls",
            "SHOP_FAILS": "1",
        }
        plan = plan_throwaway(Path(folder), env)
        stack = Stack(plan)
        with stack:
            people = asyncio.run(_record(stack))
        RELEASES.mkdir(exist_ok=True)
        rows = _dump(stack.pocketbase.data_dir, RELEASES / f"{name}.sql.gz")
        state = _SECRET.sub("whsec_recorded", plan.simulator_state.read_text())
        recorded = {"people": people, "rows": rows, "account": json.loads(state)}
        with gzip.GzipFile(RELEASES / f"{name}.json.gz", "w", mtime=0) as file:
            file.write(json.dumps(recorded, sort_keys=True).encode())


if __name__ == "__main__":
    main(sys.argv[1])
