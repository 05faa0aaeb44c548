"""Brings PocketBase's settings and superusers to the wanted state, by its API."""

from dataclasses import dataclass

from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.rows import Json
from gateway.setup.errors import SetupError
from gateway.setup.pocketbase_settings import (
    WantedSettings,
    add_secrets,
    describe_changes,
    find_changes,
)
from gateway.setup.report import SetupReport
from gateway.setup.superusers import describe_fields

_SETTINGS = "/api/settings"
_TEST_BUCKET = "/api/settings/test/s3"


@dataclass(frozen=True, slots=True)
class PocketBaseSetup:
    """Changes PocketBase's own settings."""

    pocketbase: PocketBase
    report: SetupReport

    async def apply(self, wanted: WantedSettings) -> None:
        """Change the settings that differ; write-only secrets are sent whenever they are given.

        Raises:
            SetupError: PocketBase refuses a value.
            PocketBaseUnavailable: it does not answer, or refuses the gateway's superuser.
        """
        current = await self.pocketbase.call("GET", _SETTINGS)
        changes = find_changes(current, wanted)
        for line in describe_changes(changes):
            self.report.change(f"PocketBase: {line}")
        if not changes:
            self.report.keep("PocketBase: its settings")
        body = add_secrets(changes, wanted)
        if body and not self.report.is_dry_run:
            await self._send(body)
            await self._test_bucket(wanted)
        if not (wanted.bucket or current["backups"]["s3"]["enabled"]):
            self.report.todo(
                "PocketBase: its backups are on its own disk; give --backup-bucket or"
                " --backup-folder, which is on another machine"
            )

    async def _send(self, body: Json) -> None:
        try:
            await self.pocketbase.call("PATCH", _SETTINGS, body)
        except PocketBaseRefused as refused:
            raise SetupError(
                f"PocketBase refuses these settings: {describe_fields(refused)}"
            ) from refused

    async def _test_bucket(self, wanted: WantedSettings) -> None:
        if wanted.bucket is None:
            return
        try:
            await self.pocketbase.call("POST", _TEST_BUCKET, {"filesystem": "backups"})
        except PocketBaseRefused as refused:
            self.report.todo(f"PocketBase can't write to the bucket of its backups: {refused}")
