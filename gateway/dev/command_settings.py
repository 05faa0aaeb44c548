"""The settings of a running gateway, kept for `gateway …` commands in another terminal."""

import json
from pathlib import Path

from gateway.dev.stack import Stack
from gateway.private_file import write_private

_SETTINGS = ("POCKETBASE_", "STRIPE_", "GATEWAY_")


def keep_gateway_settings(stack: Stack, file: Path) -> None:
    """Write the settings of the gateway and the app as one JSON object, readable by its owner."""
    own = stack.plan.gateway_env
    settings = {
        name: text
        for name, text in stack.gateway.env.items()
        if name.startswith(_SETTINGS) or name in own
    }
    write_private(file, json.dumps(settings))
