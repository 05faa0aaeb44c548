"""A copy of this repository's code in which a test adds a mirrored object, and a run of it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from gateway.dev.pocketbase import ROOT

_FOLDERS = ("gateway", "stripe_simulator", "pb_hooks", "pb_migrations")


class CopiedProject:
    """The folders that a run needs; tests write into them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in _FOLDERS:
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)

    def replace(self, path: str, old: str, new: str) -> None:
        """Edit one place of a file."""
        text = (self.folder / path).read_text()
        assert text.count(old) == 1, (path, old)
        (self.folder / path).write_text(text.replace(old, new))

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the copy."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder)} | env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
