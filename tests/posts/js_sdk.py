"""PocketBase's own JavaScript SDK, installed by npm as its lock file says, run by node."""

import json
from pathlib import Path
from typing import Any

from tests.npm import install_package, run_module

_HERE = Path(__file__).parent
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
    """Return a folder whose scripts can import the SDK; see `install_package`."""
    return install_package("pocketbase", "PocketBase SDK", _HERE, run)


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
        code = _SCRIPT.replace("%s", body)
        return json.loads(run_module(code, self._given | given, self._folder))
