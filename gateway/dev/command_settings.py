"""The settings of a running gateway, kept for `gateway …` commands in another terminal."""

import json
from pathlib import Path

from gateway.dev.private_file import write_private
from gateway.dev.stack import Stack

_SETTINGS = ("POCKETBASE_", "STRIPE_", "GATEWAY_")


def keep_gateway_settings(stack: Stack, file: Path) -> None:
    """Write the gateway's settings as one JSON object; only the owner can read the file."""
    env = stack.gateway.env
    settings = {name: text for name, text in env.items() if name.startswith(_SETTINGS)}
    write_private(file, json.dumps(settings))
