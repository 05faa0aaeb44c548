"""The running gateway: alive and ready."""

import httpx2

from gateway.doctor.check import CheckResult, check, failed, ok
from gateway.doctor.context import Context
from gateway.doctor.facts import read_members


@check("gateway.reachable", "The gateway answers", "settings")
async def check_reachable(context: Context) -> CheckResult:
    """Read /health."""
    try:
        is_up = await context.facts.is_gateway_up()
        answer = await context.facts.read_health()
    except httpx2.HTTPError as error:
        return failed(
            f"the gateway does not answer ({type(error).__name__}).",
            "Start it, or correct GATEWAY_PUBLIC_URL.",
        )
    if not is_up:
        other = " with a page of another program" if answer.is_success else ""
        return failed(
            f"/health answers {answer.status_code}{other}.",
            "Lead the address to the gateway (docker/README.md).",
        )
    return ok("/health answers")


@check("gateway.ready", "The gateway is ready", "gateway")
async def check_ready(context: Context) -> CheckResult:
    """Read /ready; its detail names the first fault."""
    fix = "See 'When /ready answers 503' in docs/operations.md."
    try:
        answer = await context.clients.http.get(f"{context.given.gateway_url}/ready")
    except httpx2.HTTPError as error:
        return failed(f"/ready does not answer ({type(error).__name__}).", fix)
    found = read_members(answer)
    if answer.is_success and found.get("status") == "ok":
        return ok("/ready answers 200")
    return failed(str(found.get("detail") or f"/ready answers {answer.status_code}."), fix)
