"""What pb_hooks keep for longer than a call."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from gateway.dev.pocketbase import ROOT
from gateway.dev.stack import Stack

#: Says which VM answers, and whether it keeps a query; slowly, so that most calls make a VM.
_ROUTE = """
routerAdd("GET", "/kept", (e) => {
  const { prepare } = require(`${__hooks}/lib/database/sql.js`)
  const sql = "SELECT id FROM users WHERE id = {:id}"
  globalThis.name ||= $security.pseudorandomString(12)
  const found = arrayOf(new DynamicModel({ id: "" }))
  prepare(sql).bind({ id: "nobody" }).all(found)
  sleep(20)
  const keeps = prepare(sql) === prepare(sql)
  return e.json(200, { name: globalThis.name, keeps, found: found.length })
})
"""


def test_only_so_many_statements_are_kept(
    fresh_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    """PocketBase makes a VM for one call when all are busy: what each would keep is never freed."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "lib").symlink_to(ROOT / "pb_hooks" / "lib")
    (hooks / "kept.pb.js").write_text(_ROUTE)
    part = fresh_stack(start=False).pocketbase
    changed = {"--hooksDir": f"--hooksDir={hooks}", "--hooksPool": "--hooksPool=1"}
    part.command = tuple(changed.get(each.partition("=")[0], each) for each in part.command)
    part.start()
    part.wait_healthy()
    with httpx.Client(base_url=part.url, trust_env=False, timeout=30) as client:

        def ask(_: int) -> tuple[str, bool]:
            answer = client.get("/kept").raise_for_status().json()
            assert answer["found"] == 0
            return answer["name"], answer["keeps"]

        with ThreadPoolExecutor(8) as threads:
            answers = set(threads.map(ask, range(250)))
    assert len(answers) > 150
    assert sum(keeps for _, keeps in answers) == 100
