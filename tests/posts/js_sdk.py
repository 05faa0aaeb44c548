"""PocketBase's own JavaScript SDK, installed by npm as its lock file says, run by node."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.npm import CACHE, Tool, ToolUnavailableError, install_once

_HERE = Path(__file__).parent
_FOLDER = CACHE / "pocketbase-sdk"
_SCRIPT = """\
import PocketBase from "pocketbase"
const given = JSON.parse(process.argv[2])
const pb = new PocketBase(given.url)
if (given.token) pb.authStore.save(given.token, given.user)
// What the SDK throws, as a frontend reads it.
const refusal = async (call) => {
  try { await call } catch (e) {
    if (e.name?.startsWith("ClientResponseError")) return { status: e.status, ...e.response }
    throw e
  }
  throw new Error("it was not refused")
}
const result = await (async () => { %s })()
console.log(JSON.stringify(result ?? null))
"""


def find_sdk(run: str) -> Path:
    """Return the folder whose scripts can import the SDK, installed on first use.

    Raises:
        ToolUnavailableError: node or npm is missing, or npm can't install it.
    """
    if shutil.which("node") is None:
        raise ToolUnavailableError("node, which runs PocketBase's JavaScript SDK, is not here")
    lock = (_HERE / "package-lock.json").read_text()
    folder = _FOLDER / json.loads(lock)["packages"]["node_modules/pocketbase"]["version"]
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        (folder / name).write_text((_HERE / name).read_text())
    arguments = ("ci", "--ignore-scripts", f"--prefix={folder}")

    def find() -> Path | None:
        return folder if (folder / "node_modules/pocketbase/package.json").exists() else None

    return install_once(Tool("PocketBase's JavaScript SDK", _FOLDER, arguments, find), run)


class JsSdk:
    """A page that uses the SDK, signed in or not."""

    def __init__(self, folder: Path, url: str, token: str = "", user: str = "") -> None:
        self._folder = folder
        self._given = {"url": url, "token": token, "user": {"id": user}}

    def run(self, body: str, **given: Any) -> Any:
        """Run the body of an async function; return what it returns, by way of JSON.

        Args:
            body: sees `pb`, `given` and `refusal(call)`, which awaits a ClientResponseError.
        """
        script = self._folder / "page.mjs"
        done = subprocess.run(
            ["node", "--input-type=module", "-", json.dumps(self._given | given)],
            input=_SCRIPT.replace("%s", body),
            cwd=script.parent,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
