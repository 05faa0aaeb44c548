"""The example project's page, run by node with the document of jsdom."""

import json
from pathlib import Path
from typing import Any

from tests.npm import install_package, run_module

_HERE = Path(__file__).parent


def find_jsdom(run: str) -> Path:
    """Return a folder whose scripts can import jsdom; see `install_package`."""
    return install_package("jsdom", "jsdom", _HERE, run)


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
        given = {"page": str(self._page), "url": self.url, "folder": str(self._folder)}
        code = (_HERE / "browser.mjs").read_text()
        printed = run_module(code, given | {"steps": steps}, self._node)
        return json.loads(printed.splitlines()[-1])
