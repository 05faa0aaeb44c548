"""Jobs that ended while procrastinate could not store their status."""

from collections import defaultdict

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from gateway.relay.run import run_relay
from gateway.work import WorkContext, WorkHandler, WorkItem
from tests.deadline import eventually
from tests.work.office import Office

Tables = AsyncConnection[TupleRow]

# Fails as many times as the arguments of its triggers ask for; a sequence is not rolled back.
_FAIL = """
    CREATE SEQUENCE {name};
    CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('{name}') <= {times} THEN RAISE 'refused by a test'; END IF;
        RETURN coalesce(NEW, OLD);
    END $$;
    CREATE TRIGGER {name} BEFORE {change} FOR EACH ROW EXECUTE FUNCTION {name}();"""


async def _let_fail(tables: Tables, name: str, change: str, times: int = 1) -> None:
    await tables.execute(_FAIL.format(name=name, change=change, times=times).encode())


async def _wait_table(tables: Tables) -> None:
    async def exists() -> bool:
        found = await tables.execute("SELECT to_regclass('gateway_workers') IS NOT NULL")
        return await found.fetchone() == (True,)

    await eventually(exists)


@pytest.mark.parametrize("lost", ["end", "retry"])
async def test_a_job_ends_whose_status_was_not_stored(
    lost: str, office: Office, database: str, tables: Tables
) -> None:
    """Its worker lives on; the next item of the key runs, and an item without a result again."""
    runs: dict[str, int] = defaultdict(int)

    async def run(item: WorkItem, context: WorkContext) -> None:
        runs[item.id] += 1

    handler = WorkHandler(office.handler, run)
    async with run_relay(database, office.queue, [handler], works=True):
        await _wait_table(tables)
        if lost == "end":
            await _let_fail(tables, "fail_end", "DELETE ON procrastinate_jobs")
        else:
            await _let_fail(tables, "fail_start", "UPDATE OF starts ON gateway_relayed_items")
            await _let_fail(tables, "fail_retry", "UPDATE OF scheduled_at ON procrastinate_jobs")
        [first] = await office.add(key="a")
        [second] = await office.add(key="a")
        for id in (first, second):
            await office.wait_status(id, "done", within=40)
    assert runs == {first: 1, second: 1}
