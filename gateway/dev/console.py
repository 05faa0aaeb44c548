"""The logs of all parts in one terminal, each line with the name of its part."""

import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.dev.process import is_go_trace

_POLL_SECONDS = 0.1


class Console:
    """Prints the lines that are appended to log files while the context lasts."""

    def __init__(self, logs: Mapping[str, Path]) -> None:
        """Follow these files.

        Args:
            logs: the name of each part and its log file, which may not exist yet.
        """
        self._logs = dict(logs)
        self._width = max(len(name) for name in logs)
        self._offsets = {name: _measure(file) for name, file in logs.items()}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="console", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._ended.wait(_POLL_SECONDS):
            self._print_new_lines()
        self._print_new_lines()

    def _print_new_lines(self) -> None:
        for name, file in self._logs.items():
            for line in self._read_new_lines(name, file):
                if not is_go_trace(line):
                    print(f"{name:<{self._width}} | {line}", flush=True)

    def _read_new_lines(self, name: str, file: Path) -> list[str]:
        if not file.exists():
            return []
        with file.open("rb") as log:
            log.seek(self._offsets[name])
            text = log.read()
        complete, newline, _ = text.rpartition(b"\n")
        self._offsets[name] += len(complete) + len(newline)
        return complete.decode(errors="replace").splitlines() if newline else []


def _measure(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
