"""A page of docs/extending as a test runs it, in a new project beside a running `gateway dev`.

The info string of a block names what is done with it:

- ``python app.py``: the block is the file's content; with a third word, ``append``, it is added at
  its end.
- ``diff app.py``: in the file, the lines with ``-`` are replaced by those with ``+``.
- ``python app.py wrong``: the block is added, `gateway dev` prints the next ``text`` block, and the
  block is removed.
- ``sh``: a step that is run in the project; the next ``text`` block is what it prints. A line with
  ``…`` alone stands for any lines, elsewhere ``…`` stands for any characters.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)(?: ([^\s]+)(?: (append|wrong))?)?\n(.*?)^```$", re.M | re.S)
#: The number of a line in a message.
_LINE_NUMBER = re.compile(r"(?<=\\\.py:)\d+")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block."""

    language: str
    #: The file that it belongs to, relative to the project; "" for none.
    file: str
    #: append, wrong, or "".
    use: str
    text: str
    #: The ``text`` block that follows, "" if another block comes first.
    output: str = ""

    @property
    def is_step(self) -> bool:
        """Whether it is a shell script to run."""
        return self.language == "sh" and not self.file

    def write(self, project: Path) -> None:
        """Write the block's file."""
        path = project / self.file
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.use:
            before = path.read_text() if path.exists() else ""
            path.write_text(f"{before}\n\n{self.text}" if before else self.text)
        elif self.language == "diff":
            path.write_text(_apply(self.text, path.read_text()))
        else:
            path.write_text(self.text)


def _apply(diff: str, text: str) -> str:
    """Return the text with the change of a diff."""
    lines = diff.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if not line.startswith("+"))
    new = "".join(line[1:] for line in lines if not line.startswith("-"))
    assert text.count(old) == 1, f"the file does not have\n{old}"
    return text.replace(old, new)


def read_blocks(page: Path) -> list[Block]:
    """Return the files and steps of a page, in order."""
    return list(_pair(_BLOCK.findall(page.read_text())))


def _pair(found: list[tuple[str, str, str, str]]) -> Iterator[Block]:
    following: list[tuple[str, str, str, str] | None] = [*found[1:], None]
    for block, after in zip(found, following, strict=True):
        if block[0] != "text":
            yield Block(*block, output=after[3] if after and after[0] == "text" else "")


def compile_output(expected: str) -> re.Pattern[str]:
    """Return the pattern of what a page shows as printed."""
    lines = [
        "(?:.*\n)*?" if line.strip() == "…" else _compile_line(line) + "\n"
        for line in expected.strip().splitlines()
    ]
    return re.compile("".join(lines))


def compile_message(expected: str) -> re.Pattern[str]:
    """Return the pattern of sentences that are printed in order, each within a line."""
    return re.compile(r"[\s\S]*?".join(map(_compile_line, expected.strip().splitlines())))


def _compile_line(line: str) -> str:
    pattern = "[^\n]*".join(re.escape(part) for part in line.rstrip().split("…"))
    return _LINE_NUMBER.sub(r"\\d+", pattern) + "[ ]*"
