"""PocketBase's disk and database files."""

from gateway.doctor.check import CheckResult, check, failed, ok, warning
from gateway.doctor.context import Context
from gateway.doctor.given import Skipped
from gateway.doctor.units import format_bytes

_MEGABYTE = 1 << 20
#: Free space below which writes may soon fail, and below which a backup has no room.
_MIN_FREE_BYTES, _LOW_FREE_BYTES = 256 * _MEGABYTE, 1024 * _MEGABYTE
_MIN_FREE_SHARE, _LOW_FREE_SHARE = 0.02, 0.10
#: SQLite copies the log at 1,000 pages (4 MB), during `gateway reconcile` at 15,000 (62 MB,
#: pb_hooks/lib/database/checkpoints.js). It grows further only while a reader holds an old state.
HIGH_WAL_BYTES, MAX_WAL_BYTES = 64 * _MEGABYTE, 1024 * _MEGABYTE


@check("storage.disk", "PocketBase's disk has space", "pocketbase", "hooks")
async def check_disk(context: Context) -> CheckResult:
    """Compare the free space with limits in bytes and in percent."""
    disk = (await context.facts.read_diagnosis()).disk
    if disk is None or disk.total <= 0:
        raise Skipped("PocketBase's machine does not show its disk space")
    share = disk.free / disk.total
    found = f"{format_bytes(disk.free)} of {format_bytes(disk.total)} are free"
    fix = "Free space on the volume of pb_data, or enlarge it (docs/runbooks/disk-full.md)."
    if disk.free < _MIN_FREE_BYTES or share < _MIN_FREE_SHARE:
        return failed(f"{found}.", fix)
    if disk.free < _LOW_FREE_BYTES or share < _LOW_FREE_SHARE:
        return warning(f"{found}.", fix)
    return ok(found)


@check("storage.wal", "SQLite's write-ahead logs are small", "pocketbase", "hooks")
async def check_wal(context: Context) -> CheckResult:
    """Check the sizes of the -wal files: a large one slows reads, and the next start."""
    sizes = (await context.facts.read_diagnosis()).bytes
    size = max(sizes.get("data.db-wal", 0), sizes.get("auxiliary.db-wal", 0))
    found = f"the largest write-ahead log has {format_bytes(size)}"
    fix = "End the process that reads an old state (a shell, a backup), then restart PocketBase."
    if size > MAX_WAL_BYTES:
        return failed(f"{found}.", fix)
    if size > HIGH_WAL_BYTES:
        return warning(f"{found}.", fix)
    return ok(found)
