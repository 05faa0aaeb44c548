"""`gateway dev`: runs PocketBase, the project's app and the simulator until a signal ends them."""

from functools import partial
from pathlib import Path

from gateway.dev.command_settings import keep_gateway_settings
from gateway.dev.console import Console
from gateway.dev.env_file import EnvFileWatch
from gateway.dev.folder_lock import lock_folder
from gateway.dev.greeting import describe_secrets, describe_stack
from gateway.dev.local_secrets import LocalSecrets, keep_secrets
from gateway.dev.plan import StackPlan, plan_from_settings
from gateway.dev.project import Project
from gateway.dev.settings import read_settings
from gateway.dev.stack import Stack
from gateway.dev.stop_request import StopRequest
from gateway.dev.supervisor import Supervisor


def run(project: Project, folder: Path, env_file: Path) -> None:
    """Run the parts until a signal.

    Args:
        project: the app and PocketBase's files.
        folder: data, logs and secrets.
        env_file: settings; the environment overrides them.

    Raises:
        StackError: they cannot start; all have ended then.
    """
    stop = StopRequest()
    stop.listen()
    with lock_folder(folder):
        secrets_file = folder / "secrets.env"
        local, is_new = keep_secrets(secrets_file)
        if is_new:
            # Before anything can fail, because they are shown only once.
            print(describe_secrets(local, secrets_file), flush=True)
        read_plan = partial(_read_plan, env_file, project, folder, local)
        stack = Stack(read_plan())
        watch = EnvFileWatch(env_file, stack, read_plan, _report)

        def is_cancelled() -> bool:
            # Polled while the parts start: a wrong setting may be corrected meanwhile.
            watch.check()
            return stop.is_made()

        with Console({_short_name(part.log): part.log for part in stack.parts}):
            try:
                stack.start(is_cancelled, _report)
                if not stop.is_made():
                    keep_gateway_settings(stack, folder / "settings.json")
                    print(describe_stack(stack), flush=True)
                Supervisor(stack, _report, watch.check).watch(stop.is_made)
            finally:
                stack.stop()
                (folder / "settings.json").unlink(missing_ok=True)


def _read_plan(env_file: Path, project: Project, folder: Path, local: LocalSecrets) -> StackPlan:
    return plan_from_settings(read_settings(env_file), project, folder, local)


def _short_name(log: Path) -> str:
    return log.stem


def _report(sentence: str) -> None:
    print(sentence, flush=True)
