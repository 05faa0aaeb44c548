"""docker/e2e on a machine with an engine that does not start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.dev.pocketbase import ROOT

_TOOLS = ("docker-compose", "debootstrap", "unshare", "nsenter")
#: Databases of a killed run with which dockerd panics.
_LEFTOVERS = ("data/network/files/local-kv.db", "data/volumes/metadata.db")


def _write_command(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("log", "code", "words"),
    [
        ("panic: page 7 already freed", 1, "the engine panicked"),
        ("failed to start daemon: operation not permitted", 0, "skipped, because neither engine"),
    ],
)
def test_an_engine_that_does_not_start(log: str, code: int, words: str, tmp_path: Path) -> None:
    """A panic is a failure, a machine without containers a skip; leftovers are removed before."""
    commands, folder = tmp_path / "bin", tmp_path / "e2e"
    for name in _TOOLS:
        _write_command(commands, name, "exit 1")
    _write_command(commands, "id", "echo 0")
    _write_command(commands, "dockerd", f"echo '{log}' >&2; exit 2")
    for name in _LEFTOVERS:
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("damaged")
    done = subprocess.run(
        [ROOT / "docker" / "e2e"],
        env={
            "PATH": f"{commands}:{os.environ['PATH']}",
            "E2E_FOLDER": str(folder),
            "E2E_PYTHON": sys.executable,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == code, printed
    assert words in printed
    assert log in printed
    assert not any((folder / name).exists() for name in _LEFTOVERS)
