"""`gateway transforms run`: a transform on stored records."""

import asyncio
import json
import re
from collections.abc import Callable

from gateway.dev.stack import Stack
from gateway.pocketbase.api import PocketBaseClient
from gateway.rows import Json
from tests.bulk.conftest import open_superuser
from tests.deadline import eventually
from tests.operations.operator import run_gateway, start_gateway_command


async def _make(pb: PocketBaseClient, *titles: str) -> list[Json]:
    return [await pb.collection("articles").create({"title": title}) for title in titles]


async def test_a_dry_run_prints_the_differences(
    stack: Stack, pb: PocketBaseClient, mark: str
) -> None:
    """Every field that would change, hidden ones too, and every refusal; nothing is written."""
    titles = (f"{mark} One", f"{mark} forbidden", f"{mark} broken")
    made = await _make(pb, *titles)
    filter = f"title ~ '{mark}'"
    asked = ("transforms", "run", "articles", "--filter", filter, "--dry-run")
    printed = await run_gateway(stack, *asked)
    assert printed.code == 1
    assert f"articles/{made[0]['id']}\n" in printed.out
    assert f'  - slug: ""\n  + slug: "{mark}-one"\n' in printed.out
    assert '  - internal: ""\n  + internal: "12"\n' in printed.out
    assert "updated" not in printed.out
    assert "! title: Choose another title." in printed.out
    assert re.search(r"! The transform failed: \w+: .+ \(app\.py, line \d+\)\.\n", printed.out)
    assert "3 records: 1 would change, 2 refused" in printed.err
    printed = await run_gateway(stack, *asked, "--json")
    lines = {line["id"]: line for line in map(json.loads, printed.out.splitlines())}
    assert lines[made[0]["id"]]["changes"]["slug"] == {"before": "", "after": f"{mark}-one"}
    assert lines[made[1]["id"]]["error"]["data"]["title"]["code"] == "title_forbidden"
    for each in made:
        assert await pb.collection("articles").get(each["id"]) == each


async def test_a_run_writes_what_changes(stack: Stack, pb: PocketBaseClient, mark: str) -> None:
    """Only records that change are written; the others keep their time of change."""
    first, second, refused = await _make(pb, f"{mark} One", f"{mark} Two", f"{mark} forbidden")
    articles = pb.collection("articles")
    right = await articles.update(second["id"], {"slug": f"{mark}-two", "internal": "12"})
    asked = ("transforms", "run", "articles", "--filter", f"title ~ '{mark}'")
    printed = await run_gateway(stack, *asked)
    assert printed.code == 1
    assert "3 records: 1 changed, 1 refused" in printed.err
    assert f"articles/{refused['id']}\n  ! " in printed.out
    assert (await articles.get(first["id"]))["slug"] == f"{mark}-one"
    assert await articles.get(second["id"]) == right
    await articles.delete(refused["id"])
    printed = await run_gateway(stack, *asked)
    assert (printed.code, printed.out) == (0, "")
    assert "2 records: 0 changed, 0 refused" in printed.err


async def test_a_collection_without_a_transform_is_refused(stack: Stack) -> None:
    """Before anything is started."""
    printed = await run_gateway(stack, "transforms", "run", "users")
    assert (printed.code, printed.err) == (1, "users has no transform for updates.\n")


async def test_a_killed_gateway_continues_the_run(own_stack: Callable[..., Stack]) -> None:
    """kill -9 in the middle: the run continues after the last page, and counts stay exact."""
    stack = own_stack(SLOW="1")
    async with open_superuser(stack) as pb:
        for number in range(350):
            await pb.collection("articles").create({"title": f"Number {number}"})
        async with start_gateway_command(stack, "transforms", "run", "articles") as running:
            jobs = pb.collection("gateway_work")

            async def find_begun() -> Json | None:
                row = await jobs.first_or_none("handler = 'gateway.run_transform'")
                return row if row and (row["progress"] or {}).get("records") else None

            row = await eventually(find_begun, 30)
            assert row
            stack.gateway.kill()
            await jobs.update(row["id"], {"lease": "2020-01-01 00:00:00.000Z"})
            stack.gateway.start()
            out, err = await asyncio.wait_for(running.communicate(), 90)
            assert (running.returncode, out) == (0, b"")
        assert b"350 records: " in err
        assert await pb.collection("articles").count("slug = ''") == 0
        assert (await jobs.get(row["id"]))["attempts"] == 2
