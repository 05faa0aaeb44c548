"""Stripe's own command line tool drives the simulator from outside."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.npm import ToolUnavailableError
from tests.simulator.served import KEY, Running
from tests.simulator.stripe_cli import find_cli


@pytest.fixture(scope="session")
def stripe_cli(testrun_uid: str) -> Path:
    """The tool's binary; without it the tests are skipped with the reason."""
    try:
        return find_cli(testrun_uid)
    except ToolUnavailableError as error:
        pytest.skip(str(error))


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
        output, _ = await asyncio.wait_for(process.communicate(), 60)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, output.decode()


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
    running: Running, stripe_cli: Path, tmp_path: Path, event: str
) -> None:
    """`stripe trigger` builds what it needs through the API and the event happens."""
    address = ("--api-key", KEY, "--api-base", running.base)
    await run(str(stripe_cli), "trigger", event, *address, home=tmp_path)
    assert event in {happened["type"] for happened in running.simulator.world.events}
    assert running.simulator.violations == []
