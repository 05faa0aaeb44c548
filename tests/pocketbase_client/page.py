"""The Python of docs/pocketbase-client.md, as a module."""

import re
import textwrap

from gateway.dev.pocketbase import ROOT

PAGE = ROOT / "docs" / "pocketbase-client.md"
_BLOCK = re.compile(r"^```python(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_steps(url: str) -> str:
    """Return the blocks without a file's name as one function, `main`.

    Args:
        url: replaces the page's address.
    """
    blocks = [text for file, text in _BLOCK.findall(PAGE.read_text()) if not file]
    code = "\n".join(blocks).replace("http://127.0.0.1:8090", url)
    return "async def main() -> None:\n" + textwrap.indent(code, "    ")


def read_file(name: str) -> str:
    """Return the block of a file."""
    [found] = [text for file, text in _BLOCK.findall(PAGE.read_text()) if file == name]
    return str(found)
