"""`gateway backup`."""

import zipfile

from gateway.dev.stack import Stack
from tests.operations.operator import run_gateway


async def test_a_backup_has_the_data(stack: Stack) -> None:
    """PocketBase stores a complete backup under the name, which the command prints."""
    done = await run_gateway(stack, "backup", "before-upgrade.zip")
    assert (done.code, done.lines) == (0, ["before-upgrade.zip"])
    stored = stack.pocketbase.data_dir / "backups" / "before-upgrade.zip"
    assert "data.db" in zipfile.ZipFile(stored).namelist()


async def test_a_wrong_name_is_refused(stack: Stack) -> None:
    """One line names what is wrong."""
    done = await run_gateway(stack, "backup", "Before Upgrade")
    assert done.code == 1
    assert "name: " in done.err
    assert len(done.err.strip().splitlines()) == 1
