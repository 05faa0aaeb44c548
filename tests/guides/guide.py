"""A page of docs/guides as a test runs it: settings, files, and steps with what they print.

In a page, `ini` blocks are settings of `make run`, a block that names a file is written to it, `sh`
and `js` blocks are run in order in one shell, and a `text` block is what the step before it prints,
where `…` stands for anything.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Printed after each step.
MARK = "\x1e"

_PAGE = """\
import PocketBase from "pocketbase"
const {{ PB = "http://127.0.0.1:8090", GATEWAY = "http://127.0.0.1:8000" }} = process.env
const {{ TOKEN }} = process.env
const pb = new PocketBase(PB)
if (TOKEN) pb.authStore.save(TOKEN, JSON.parse(atob(TOKEN.split(".")[1])))
globalThis.location = {{ origin: PB, set href(url) {{ console.log(url) }} }}
{body}"""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block."""

    language: str
    #: The file to write, "" for none.
    file: str
    text: str

    @property
    def is_step(self) -> bool:
        """Whether it is run."""
        return self.language in ("sh", "js") and not self.file


@dataclass(frozen=True, slots=True)
class Guide:
    """One page."""

    blocks: tuple[Block, ...]

    @classmethod
    def read(cls, path: Path) -> "Guide":
        """Read a page."""
        return cls(tuple(Block(*found) for found in _BLOCK.findall(path.read_text())))

    @property
    def settings(self) -> str:
        """The settings for `.env`."""
        return "".join(block.text for block in self.blocks if block.language == "ini")

    @property
    def files(self) -> dict[str, str]:
        """The files to write, by their names."""
        return {block.file: block.text for block in self.blocks if block.file}

    @property
    def steps(self) -> list[Block]:
        """The blocks to run."""
        return [block for block in self.blocks if block.is_step]

    @property
    def outputs(self) -> list[str | None]:
        """The output of each step; None where the page does not say."""
        found: list[str | None] = []
        for block in self.blocks:
            if block.is_step:
                found.append(None)
            elif block.language == "text" and found:
                found[-1] = block.text
        return found

    def as_script(self, sdk: Path | None) -> str:
        """The steps as one shell script; without PocketBase's SDK those in JavaScript are empty."""
        steps = (f"{_run(block, sdk)}\nprintf '{MARK}'" for block in self.steps)
        # Pages in JavaScript see the shell's variables.
        return "\n".join(["set -a", *steps])


def _run(block: Block, sdk: Path | None) -> str:
    if block.language == "sh":
        return block.text
    if sdk is None:
        return ":"
    page = _PAGE.format(body=block.text)
    return f"(cd '{sdk}' && node --input-type=module -) <<'END_OF_PAGE'\n{page}\nEND_OF_PAGE"


def fits(expected: str, printed: str) -> bool:
    """Whether a step printed what the page says."""
    pattern = "[^\n]*".join(re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(pattern, printed.strip()) is not None
