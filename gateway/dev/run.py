"""What `make run` does: start everything, say where it is, wait, end everything."""

from pathlib import Path

from gateway.dev.command_settings import keep_gateway_settings
from gateway.dev.folder_lock import lock_folder
from gateway.dev.greeting import describe_secrets, describe_stack
from gateway.dev.local_secrets import keep_secrets
from gateway.dev.plan import plan_from_settings
from gateway.dev.settings import read_settings
from gateway.dev.stack import Stack
from gateway.dev.stop_request import StopRequest


def run(folder: Path, env_file: Path) -> None:
    """Run the parts until a stop is requested.

    Raises:
        StackError: they cannot start, or one ended by itself; all have ended then.
    """
    stop = StopRequest()
    stop.listen()
    with lock_folder(folder):
        secrets_file = folder / "secrets.env"
        local, is_new = keep_secrets(secrets_file)
        if is_new:
            # Before anything can fail: they are shown at their making or never.
            print(describe_secrets(local, secrets_file), flush=True)
        stack = Stack(plan_from_settings(read_settings(env_file), folder, local))
        try:
            stack.start(stop.is_made)
            if not stop.is_made():
                keep_gateway_settings(stack, folder / "settings.json")
                print(describe_stack(stack), flush=True)
            stack.watch(stop.is_made)
        finally:
            stack.stop()
            (folder / "settings.json").unlink(missing_ok=True)
