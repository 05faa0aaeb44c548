"""Runs checks side by side: each has a time limit, and none can end the others."""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.doctor.check import Check, CheckResult, CheckStatus, failed, warning
from gateway.doctor.context import Context
from gateway.doctor.given import Skipped
from gateway.doctor.requirements import require
from gateway.errors import GatewayError
from gateway.logs import mask
from gateway.pocketbase import PocketBaseRefused
from gateway.pocketbase.api.errors import PocketBaseError

#: Checks that run at once: PocketBase and Stripe also serve customers.
_MAX_RUNNING = 6
#: The beginning of PocketBase's identifiers in API rules, which look like mail addresses.
_IDENTIFIER = re.compile(r"@(?=(?:request|collection)\.)")


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A check and its result."""

    check: Check
    result: CheckResult


async def run_checks(checks: Iterable[Check], context: Context) -> list[CheckedRow]:
    """Run checks and return their results, in their order."""
    running = asyncio.Semaphore(_MAX_RUNNING)

    async def run_one(check: Check) -> CheckedRow:
        async with running:
            return CheckedRow(check, _clean(await _run(check, context)))

    return list(await asyncio.gather(*map(run_one, checks)))


async def _run(check: Check, context: Context) -> CheckResult:
    try:
        async with asyncio.timeout(check.seconds):
            for need in check.needs:
                await require(need, context)
            return await check.run(context)
    except Skipped as reason:
        return CheckResult(CheckStatus.SKIPPED, str(reason))
    except TimeoutError:
        return warning(f"no result within {check.seconds:g} s.", "Run it again on a quiet system.")
    except GatewayError as error:
        return CheckResult(CheckStatus.SKIPPED, error.detail)
    except (PocketBaseRefused, PocketBaseError) as error:
        return CheckResult(CheckStatus.SKIPPED, f"PocketBase refused: {error}")
    except Exception as error:
        # A check that crashes must not hide the others, nor count as a true assumption.
        return failed(
            f"the check itself failed: {type(error).__name__}: {error}.",
            "A part gave an unexpected answer: check its address and its version.",
        )


def _clean(result: CheckResult) -> CheckResult:
    details = tuple(map(_mask, result.details))
    return CheckResult(result.status, _mask(result.found), _mask(result.fix), details)


def _mask(text: str) -> str:
    """Remove secrets and addresses, which error messages may repeat; API rules stay readable."""
    return mask(_IDENTIFIER.sub("\0", text)).replace("\0", "@")
