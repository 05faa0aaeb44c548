"""The example project's page, run by node with the document of jsdom."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.npm import CACHE, Tool, ToolUnavailableError, install_once

_HERE = Path(__file__).parent
_FOLDER = CACHE / "jsdom"


def find_jsdom(run: str) -> Path:
    """Return the folder whose scripts can import jsdom, installed on first use.

    Raises:
        ToolUnavailableError: node or npm is missing, or npm can't install it.
    """
    if shutil.which("node") is None:
        raise ToolUnavailableError("node, which runs the page, is not here")
    lock = (_HERE / "package-lock.json").read_text()
    folder = _FOLDER / json.loads(lock)["packages"]["node_modules/jsdom"]["version"]
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        (folder / name).write_text((_HERE / name).read_text())
    arguments = ("ci", "--ignore-scripts", f"--prefix={folder}")

    def find() -> Path | None:
        return folder if (folder / "node_modules/jsdom/package.json").exists() else None

    return install_once(Tool("jsdom", _FOLDER, arguments, find), run)


class ExamplePage:
    """The page of a running stack."""

    def __init__(self, node: Path, page: Path, url: str, folder: Path) -> None:
        self._node = node
        self._page = page
        self.url = url
        self._folder = folder

    def run(self, steps: str) -> Any:
        """Load the page, run the steps, and return what they return, by way of JSON.

        Args:
            steps: the body of an async function; browser.mjs shows what it can call.
        """
        given = {"page": str(self._page), "url": self.url, "steps": steps}
        done = subprocess.run(
            ["node", "--input-type=module", "-", json.dumps(given | {"folder": str(self._folder)})],
            input=(_HERE / "browser.mjs").read_text(),
            cwd=self._node,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout.splitlines()[-1])
