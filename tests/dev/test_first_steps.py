"""The commands of docs/first-purchase.md and of the greeting work as printed."""

import re
import subprocess

from gateway.dev.pocketbase import ROOT
from tests.deadline import wait_until
from tests.dev.conftest import Run

_DEFAULT_PORTS = {"8090": "POCKETBASE_PORT", "8000": "GATEWAY_PORT", "12111": "SIMULATOR_PORT"}


def _sh(script: str) -> str:
    done = subprocess.run(
        ["sh", "-eu", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_buys_a_subscription_by_curl(run: Run) -> None:
    """The page's curl steps, pasted at once, end with the record of what was bought."""
    text = (ROOT / "docs" / "first-purchase.md").read_text().split("**With curl,**")[1]
    script = text.split("```sh\n")[1].split("```")[0]
    for number, name in _DEFAULT_PORTS.items():
        script = script.replace(f"127.0.0.1:{number}", f"127.0.0.1:{run.ports[name]}")
    *setup, listing = script.strip().splitlines()
    keep = 'echo; echo "PB=$PB TOKEN=$TOKEN"'
    variables = _sh("\n".join([*setup, keep])).splitlines()[-1]
    wait_until(lambda: '"status":"active"' in _sh(f"{variables}\n{listing}"), 20)


def test_the_greeting_leads_to_checkout(run: Run) -> None:
    """The printed curl steps answer with a Checkout page's address and list the user's rows."""
    steps = re.findall(r"^  (.*)", run.output.split("Try a purchase")[1], re.MULTILINE)
    output = _sh("\n".join(steps).replace("me@example", "another@example"))
    assert f"{run.url('simulator')}/c/pay/cs_" in output
    assert '"items":[]' in output


def test_the_printed_shop_asks_the_gateway_of_this_run(run: Run) -> None:
    """On another port than the default, the shop's address names the gateway's port."""
    port = run.ports["GATEWAY_PORT"]
    assert f"{run.url('pocketbase')}/?gateway_port={port}\n" in run.output
