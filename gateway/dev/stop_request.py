"""Signals that ask this process to stop."""

import signal


class StopRequest:
    """A flag that is set by SIGINT (Ctrl-C), SIGTERM and SIGHUP (a closed terminal)."""

    def __init__(self) -> None:
        self._is_made = False

    def is_made(self) -> bool:
        """Return whether a signal was received."""
        return self._is_made

    def listen(self) -> None:
        """Set the flag on these signals instead of ending the process."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._set)

    def _set(self, number: int, frame: object) -> None:
        # Not an Event: its lock may be held by the interrupted thread.
        self._is_made = True
