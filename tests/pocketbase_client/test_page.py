"""docs/pocketbase-client.md works as it is written, and is typed."""

import os
import subprocess
import sys
from pathlib import Path

from gateway.dev.pocketbase import ROOT, PocketBaseProcess
from tests.pocketbase_client.page import read_file, read_steps


def test_every_step_of_the_page_runs(server: PocketBaseProcess, tmp_path: Path) -> None:
    """In order, in one process of its own."""
    run = f"{read_steps(server.url)}\nimport asyncio\nasyncio.run(main())\n"
    env = os.environ | {
        "PYTHONPATH": str(ROOT),
        "SUPERUSER_EMAIL": server.superuser_email,
        "SUPERUSER_PASSWORD": server.superuser_password,
    }
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", run],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1:3] == ["Ann", "None Ann"]
    assert lines[4].startswith("1 ")
    assert lines[-2:] == ["create Live", "['shelves']"]


def test_the_page_is_typed(tmp_path: Path) -> None:
    """mypy --strict accepts it, and infers the models."""
    code = read_steps("http://127.0.0.1:8090")
    code += """
    from typing import Any, assert_type

    from gateway import Auth, Change, Page

    untyped = pb.collection("posts")
    assert_type(await typed.get("x"), Post)
    assert_type(await typed.first_or_none(), Post | None)
    assert_type(await typed.list(), Page[Post])
    assert_type(await typed.full_list(), list[Post])
    assert_type(await untyped.get("x"), dict[str, Any])
    assert_type(await untyped.list(), Page[dict[str, Any]])
    assert_type(await pb.collection("users", Author).auth_refresh(), Auth[Author])
    assert_type(first.record, Post)
    async with typed.subscribe() as changes:
        assert_type(await anext(changes), Change[Post] | Gap)
"""
    (tmp_path / "steps.py").write_text(code)
    (tmp_path / "app.py").write_text(read_file("app.py"))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "steps.py", "app.py"],
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": str(ROOT), "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
