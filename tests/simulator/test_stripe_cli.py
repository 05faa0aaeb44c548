"""Stripe's own command line tool drives the simulator from outside."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from tests.simulator.served import KEY, Running

VERSION = "1.52.0"
CACHE = Path(__file__).parents[2] / ".cache" / "stripe-cli"

pytestmark = pytest.mark.skipif(
    shutil.which("npm") is None, reason="the Stripe CLI is installed by npm, which is not here"
)


async def run(*command: str, home: Path) -> None:
    """Run a command to its end."""
    private = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "STRIPE_CLI_TELEMETRY_OPTOUT": "1"}
    process = await asyncio.create_subprocess_exec(
        *command,
        env=dict(os.environ) | private,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 120)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, output.decode()


async def stripe_cli(home: Path) -> str:
    """Install the CLI once into the cache; gives its binary."""
    found = sorted(CACHE.glob("node_modules/@stripe/cli-*/bin/stripe*"))
    if not found:
        CACHE.mkdir(parents=True, exist_ok=True)
        arguments = ("--no-save", "--no-audit", "--no-fund", "--prefix", str(CACHE))
        await run("npm", "install", *arguments, f"@stripe/cli@{VERSION}", home=Path.home())
        found = sorted(CACHE.glob("node_modules/@stripe/cli-*/bin/stripe*"))
    return str(found[0])


@pytest.mark.parametrize(
    "event",
    [
        "customer.subscription.created",
        "checkout.session.completed",
        "invoice.paid",
        "payment_intent.succeeded",
        "charge.dispute.created",
    ],
)
async def test_the_official_tool_triggers_an_event(
    running: Running, tmp_path: Path, event: str
) -> None:
    """`stripe trigger` builds what it needs through the API and the event happens."""
    binary = await stripe_cli(tmp_path)
    address = ("--api-key", KEY, "--api-base", running.base)
    await run(binary, "trigger", event, *address, home=tmp_path)
    assert event in {happened["type"] for happened in running.simulator.world.events}
    assert running.simulator.violations == []
