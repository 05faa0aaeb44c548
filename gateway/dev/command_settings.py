"""The settings of a running gateway, kept for `gateway …` commands in another terminal."""

import json
from pathlib import Path

from gateway.dev.stack import Stack
from gateway.private_file import write_private

#: The folder of the app, for commands that load it (gateway/cli/command_app.py).
_PROJECT = "GATEWAY_DEV_PROJECT"
_SETTINGS = ("POCKETBASE_", "STRIPE_", "GATEWAY_")


def keep_gateway_settings(stack: Stack, file: Path) -> None:
    """Write the settings of the gateway and the app as one JSON object, readable by its owner."""
    own = stack.plan.gateway_env
    settings = {
        name: text
        for name, text in stack.gateway.env.items()
        if name.startswith(_SETTINGS) or name in own
    }
    if stack.plan.project:
        settings[_PROJECT] = str(stack.plan.project.folder)
    write_private(file, json.dumps(settings))
