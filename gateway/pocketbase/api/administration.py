"""Settings, logs, backups and cron jobs of PocketBase. For superusers only."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from gateway.pocketbase.api.bodies import FileUpload, Payload
from gateway.pocketbase.api.caller import Caller, check_list, check_object
from gateway.pocketbase.api.files import Download, fetch_file_token, open_download
from gateway.pocketbase.api.paths import Query, build_path

Entries = list[dict[str, Any]]


class AppSettings:
    """PocketBase's own settings."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def get(self) -> dict[str, Any]:
        """Return the settings; secrets are left out."""
        return await self._caller.get_object(build_path("settings"))

    async def update(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings, for example ``{"batch": {"enabled": True, "maxRequests": 100}}``."""
        return check_object(await self._caller.call("PATCH", build_path("settings"), dict(changes)))


class Logs:
    """PocketBase's log."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def list(
        self, page: int = 1, per_page: int = 30, *, filter: str = "", sort: str = "-created"
    ) -> dict[str, Any]:
        """Return one page: ``items``, ``page``, ``perPage``, ``totalItems``, ``totalPages``."""
        query: Query = {"page": page, "perPage": per_page, "filter": filter or None, "sort": sort}
        return await self._caller.get_object(build_path("logs"), query=query)

    async def get(self, id: str) -> dict[str, Any]:
        """Return one entry."""
        return await self._caller.get_object(build_path("logs", id))

    async def stats(self, *, filter: str = "") -> Entries:
        """Return the number of entries per hour: ``date`` and ``total``."""
        query: Query = {"filter": filter or None}
        return check_list(await self._caller.call("GET", build_path("logs", "stats"), query=query))


class Backups:
    """Backups that PocketBase keeps."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def list(self) -> Entries:
        """Return ``key``, ``size`` in bytes and ``modified`` of each."""
        return check_list(await self._caller.call("GET", build_path("backups")))

    async def create(self, name: str = "", *, timeout: float = 300) -> None:
        """Write a backup; PocketBase is read-only meanwhile.

        Args:
            name: ends with ``.zip``; by default one with the time.
            timeout: seconds.
        """
        body = {"name": name} if name else {}
        await self._caller.call("POST", build_path("backups"), body, timeout=timeout)

    async def upload(self, file: FileUpload, *, timeout: float = 300) -> None:
        """Store a backup that was downloaded before."""
        path = build_path("backups", "upload")
        payload = Payload({}, (("file", file),))
        await self._caller.call("POST", path, payload=payload, timeout=timeout)

    @asynccontextmanager
    async def open(self, key: str) -> AsyncIterator[Download]:
        """Give a backup while it arrives: ``async for chunk in backup.chunks``."""
        query: Query = {"token": await fetch_file_token(self._caller)}
        async with open_download(self._caller, build_path("backups", key), query) as download:
            yield download

    async def restore(self, key: str) -> None:
        """Replace all data by a backup's; PocketBase restarts."""
        await self._caller.call("POST", build_path("backups", key, "restore"))

    async def delete(self, key: str) -> None:
        """Delete a backup."""
        await self._caller.call("DELETE", build_path("backups", key))


class Crons:
    """PocketBase's cron jobs, also those of hooks."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def list(self) -> Entries:
        """Return ``id`` and ``expression`` of each."""
        return check_list(await self._caller.call("GET", build_path("crons")))

    async def run(self, id: str) -> None:
        """Run a job now; returns before it has ended."""
        await self._caller.call("POST", build_path("crons", id))
