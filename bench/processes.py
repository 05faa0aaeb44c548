"""CPU time and memory of a process."""

import psutil


class Meter:
    """CPU time and memory of one process."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._started = self._used()

    def _used(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def restart(self) -> None:
        """Count CPU time from now."""
        self._started = self._used()

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of CPU since the last restart."""
        return (self._used() - self._started) * 1000

    @property
    def rss_mb(self) -> float:
        """Resident memory, in megabytes."""
        return float(self._process.memory_info().rss) / 1e6
