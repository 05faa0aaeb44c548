"""Restarts the parts of a stack that end, and PocketBase when its files change."""

import time
from collections.abc import Callable

from gateway.dev.process import Process
from gateway.dev.stack import Stack

_WATCH_SECONDS = 0.1
_FIRST_DELAY_SECONDS = 1.0
_MAX_DELAY_SECONDS = 30.0
#: A part that ran so long before it ended is restarted without the delay of repeated failures.
_STABLE_SECONDS = 60.0


class Supervisor:
    """Watches a running stack."""

    def __init__(
        self, stack: Stack, report: Callable[[str], None], check_settings: Callable[[], None]
    ) -> None:
        """Watch `stack`.

        Args:
            report: receives a sentence per event.
            check_settings: looks for changed settings.
        """
        self._stack = stack
        self._check_settings = check_settings
        self._report = report
        self._started_at = dict.fromkeys(stack.parts, time.monotonic())
        self._delays = dict.fromkeys(stack.parts, _FIRST_DELAY_SECONDS)
        self._restart_at: dict[Process, float] = {}
        #: Whether PocketBase was restarted for new files, and the app may now fit them.
        self._has_new_files = False

    def watch(self, is_cancelled: Callable[[], bool]) -> None:
        """Watch until cancelled."""
        while not is_cancelled():
            for part in self._stack.parts:
                self._watch_part(part)
            self._watch_files()
            self._check_settings()
            self._retry_app()
            time.sleep(_WATCH_SECONDS)

    def _watch_part(self, part: Process) -> None:
        now = time.monotonic()
        if part.is_running:
            return
        if part not in self._restart_at:
            if now - self._started_at[part] > _STABLE_SECONDS:
                self._delays[part] = _FIRST_DELAY_SECONDS
            delay = self._delays[part]
            self._delays[part] = min(2 * delay, _MAX_DELAY_SECONDS)
            self._restart_at[part] = now + delay
            self._report(f"{part.describe_end()}\nIt starts again in {delay:g} s.")
        elif now >= self._restart_at[part]:
            self._start(part)

    def _start(self, part: Process) -> None:
        self._restart_at.pop(part, None)
        self._started_at[part] = time.monotonic()
        part.start()

    def _watch_files(self) -> None:
        pocketbase = self._stack.pocketbase
        for file in pocketbase.adopt_migrations():
            self._report(f"The dashboard's change is in {file}")
        edited = pocketbase.find_edited_migrations()
        for file in edited if pocketbase.is_running else ():
            self._report(
                f"{file.name} changed, but PocketBase has run it: add another migration, or end"
                f" `gateway dev`, remove {pocketbase.data_dir.parent} and start from scratch"
            )
        changed = pocketbase.find_changed_files() or ([] if pocketbase.is_running else edited)
        if changed:
            names = ", ".join(file.name for file in changed)
            self._report(f"{names} changed: restarting PocketBase")
            pocketbase.stop()
            self._start(pocketbase)
            self._has_new_files = True

    def _retry_app(self) -> None:
        if self._has_new_files and self._stack.pocketbase.is_healthy():
            self._has_new_files = False
            self._stack.gateway.retry_app()
