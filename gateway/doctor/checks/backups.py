"""Backups: recent, and complete enough to restore."""

import asyncio
import sqlite3
import zipfile
import zlib
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.dates import from_column
from gateway.doctor.check import CheckResult, check, failed, ok, warning
from gateway.doctor.context import Context
from gateway.doctor.given import Skipped
from gateway.doctor.units import format_bytes, format_seconds

_DAY_SECONDS = 86_400
_OLD_SECONDS, _MAX_SECONDS = 1.5 * _DAY_SECONDS, 7 * _DAY_SECONDS
#: Larger backups are restored only with --restore.
_MAX_RESTORE_BYTES = 32 << 20
_DATABASES = ("data.db", "auxiliary.db")
_FIX = (
    "Run `gateway backup`, and turn on daily backups in PocketBase's Settings, Backups; with the"
    " profile backup, see the log of that service instead (docs/operations.md)."
)


async def _find_newest(context: Context) -> dict[str, Any] | None:
    found = await context.clients.administration.backups.list()
    return max(found, key=lambda each: str(each["modified"]), default=None)


@check("backups.age", "PocketBase's newest backup is recent", "pocketbase")
async def check_age(context: Context) -> CheckResult:
    """Read the time of the newest backup; copies by Litestream are not visible here."""
    newest = await _find_newest(context)
    if newest is None:
        report = failed if context.given.is_live else warning
        return report("PocketBase has no backup.", _FIX)
    if not int(newest["size"]):
        return failed("the newest backup is empty.", _FIX)
    age = (datetime.now(UTC) - from_column(newest["modified"])).total_seconds()
    if age > _MAX_SECONDS:
        return failed(f"the newest backup is {format_seconds(age)} old.", _FIX)
    if age > _OLD_SECONDS:
        return warning(f"the newest backup is {format_seconds(age)} old.", _FIX)
    is_away = (await context.facts.read_app_settings())["backups"]["s3"]["enabled"]
    place = "in a bucket" if is_away else "on PocketBase's own disk"
    return ok(f"the newest backup is {format_seconds(age)} old, {place}")


@check("backups.restore", "The newest backup can be restored", "pocketbase", seconds=300)
async def check_restore(context: Context) -> CheckResult:
    """Restore the newest backup into a temporary folder, and check its databases."""
    newest = await _find_newest(context)
    if newest is None:
        raise Skipped("there is no backup")
    size = int(newest["size"])
    if size > _MAX_RESTORE_BYTES and not context.given.restore:
        raise Skipped(f"the backup has {format_bytes(size)}: use --restore")
    try:
        with TemporaryDirectory(prefix="doctor-") as folder:
            await _download(context, str(newest["key"]), Path(folder) / "backup.zip")
            names = context.clients.pocketbase.collection_names
            problem = await asyncio.to_thread(_find_problem, Path(folder), names.of("customers"))
    except OSError as error:
        # Containers have a small /tmp.
        reason = f"the temporary folder can't hold the backup ({error.strerror})"
        raise Skipped(f"{reason}: set TMPDIR to a larger one") from error
    if problem:
        return failed(
            f"the newest backup can't be restored: {problem}.",
            "Run `gateway backup`, check the disk, and delete the damaged backup.",
        )
    return ok(f"{format_bytes(size)} were restored, and both databases are intact")


async def _download(context: Context, key: str, file: Path) -> None:
    async with context.clients.administration.backups.open(key) as download:
        with file.open("wb") as target:
            async for chunk in download.chunks:
                target.write(chunk)


def _find_problem(folder: Path, collection: str) -> str:
    """Return why a backup's databases are not intact and complete, "" if they are.

    Args:
        collection: the name of one of the gateway's collections.
    """
    try:
        with zipfile.ZipFile(folder / "backup.zip") as archive:
            missing = [name for name in _DATABASES if name not in archive.namelist()]
            if missing:
                return f"it lacks {' and '.join(missing)}"
            for name in archive.namelist():
                if name.split("-")[0] in _DATABASES:
                    archive.extract(name, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        return f"the archive is damaged ({type(error).__name__})"
    tables = {"data.db": ("_superusers", collection), "auxiliary.db": ("_logs",)}
    problems = (_check_database(folder / name, tables[name]) for name in _DATABASES)
    return next((problem for problem in problems if problem), "")


def _check_database(file: Path, tables: tuple[str, ...]) -> str:
    """Return why a database is not intact or lacks a table: SQLite accepts an empty file."""
    try:
        with closing(sqlite3.connect(file)) as database:
            answer = str(database.execute("PRAGMA integrity_check(1)").fetchone()[0])
            found = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
            if answer == "ok" and not found.issuperset(tables):
                answer = f"it has no table {min(set(tables) - found)}"
    except sqlite3.DatabaseError as error:
        answer = str(error)
    return "" if answer == "ok" else f"{file.name}: {answer[:100]}"
