"""Applies changes of `.env` to a running stack."""

from collections.abc import Callable
from pathlib import Path

from gateway.dev.errors import StackError
from gateway.dev.plan import StackPlan
from gateway.dev.stack import Stack


class EnvFileWatch:
    """Looks whether `.env` was saved, and restarts the parts whose settings changed."""

    def __init__(
        self,
        file: Path,
        stack: Stack,
        read_plan: Callable[[], StackPlan],
        report: Callable[[str], None],
    ) -> None:
        """Watch `file`.

        Args:
            read_plan: reads the settings again.
            report: receives a sentence per event.
        """
        self._file = file
        self._stack = stack
        self._read_plan = read_plan
        self._report = report
        self._text = _read(file)

    def check(self) -> None:
        """Apply the file if it has changed; a part that starts later gets the new settings."""
        text = _read(self._file)
        if text == self._text:
            return
        self._text = text
        name = self._file.name
        try:
            changed = self._stack.adopt(self._read_plan())
        except StackError as error:
            self._report(f"{name}: {error}")
            return
        if changed is None:
            self._report(f"{name} changed: end `gateway dev` and start it again to use it")
            return
        for part in changed:
            self._report(f"{name} changed: restarting {part.name.replace('The ', 'the ')}")
            part.stop()
            part.start()


def _read(file: Path) -> str:
    return file.read_text(errors="replace") if file.is_file() else ""
