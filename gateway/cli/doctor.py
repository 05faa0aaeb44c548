"""``gateway doctor``: checks every assumption about a deployment."""

import asyncio
import logging
import os
import sys
from pathlib import Path

import click

from gateway.cli.command_app import load_command_app
from gateway.cli.connection import fail
from gateway.cli.running_settings import find_running_settings
from gateway.errors import Unauthenticated
from gateway.json_codec import dump_text
from gateway.logs import open_logs
from gateway.pocketbase.api.sessions import TokenSession


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document (docs/doctor.md).")
@click.option("--brief", is_flag=True, help="Leave out checks that are ok.")
@click.option("--only", multiple=True, metavar="ID", help="Only this check or group; repeatable.")
@click.option("--restore", is_flag=True, help="Also restore a large backup.")
@click.option("--url", default="", help="Check a deployment at this address, from outside.")
@click.option(
    "--token",
    default="",
    envvar="POCKETBASE_SUPERUSER_TOKEN",
    help="With --url: a superuser's token, better given as POCKETBASE_SUPERUSER_TOKEN.",
)
def doctor(
    as_json: bool, brief: bool, only: tuple[str, ...], restore: bool, url: str, token: str
) -> None:
    """Check every assumption about a deployment; each fault is named with its fix.

    The exit code is 1 if a check failed; warnings and skipped checks don't change it. Nothing is
    changed, except one row that tests whether PocketBase can write.
    """
    # Imported here, because FastAPI loads slowly and the other commands don't need it.
    from gateway.app.loader import load_app
    from gateway.doctor.check import Check, CheckStatus
    from gateway.doctor.connect import open_context, read_given
    from gateway.doctor.registry import CHECKS, select_checks
    from gateway.doctor.report import build_document, format_table, summarize
    from gateway.doctor.run import CheckedRow, run_checks

    _check_options(url, token)
    try:
        checks: list[Check] = select_checks(CHECKS.values(), only)
    except KeyError as error:
        fail(f"There is no check {error.args[0]}: see docs/doctor.md.")
    running = None if url else find_running_settings(Path.cwd(), os.environ)
    if running:
        click.echo(f"Using the settings of the run in {running.folder}.", err=True)
    # The results name each error; the clients' log lines would repeat it.
    open_logs("ERROR")
    logging.getLogger().setLevel(logging.CRITICAL)
    load = load_command_app if running else load_app
    given = read_given(running.values if running else None, url.rstrip("/"), token, restore, load)

    async def work() -> list[CheckedRow]:
        async with open_context(given) as context:
            return await run_checks(checks, context)

    rows = asyncio.run(work())
    if as_json:
        click.echo(dump_text(build_document(rows), is_indented=True))
    else:
        for line in format_table(rows, is_brief=brief):
            click.echo(line)
        click.echo(summarize(rows), err=True)
    if any(row.result.status is CheckStatus.FAILED for row in rows):
        sys.exit(1)


def _check_options(url: str, token: str) -> None:
    if url and not url.startswith(("http://", "https://")):
        fail("--url is an address like https://shop.example.com.")
    if token and url:
        try:
            TokenSession(token)
        except Unauthenticated as error:
            fail(error.detail)
