"""The running gateway: alive and ready."""

import httpx2

from gateway.doctor.check import CheckResult, check, failed, ok
from gateway.doctor.context import Context


@check("gateway.reachable", "The gateway answers", "settings")
async def check_reachable(context: Context) -> CheckResult:
    """Read /health."""
    try:
        answer = await context.facts.read_health()
    except httpx2.HTTPError as error:
        return failed(
            f"the gateway does not answer ({type(error).__name__}).",
            "Start it, or correct GATEWAY_PUBLIC_URL.",
        )
    if not answer.is_success or answer.json().get("status") != "ok":
        return failed(
            f"/health answers {answer.status_code}.",
            "Lead the address to the gateway (docker/README.md).",
        )
    return ok("/health answers")


@check("gateway.ready", "The gateway is ready", "gateway")
async def check_ready(context: Context) -> CheckResult:
    """Read /ready; its detail names the first fault."""
    answer = await context.clients.http.get(f"{context.given.gateway_url}/ready")
    if answer.is_success:
        return ok("/ready answers 200")
    detail = answer.json().get("detail") or f"/ready answers {answer.status_code}."
    return failed(str(detail), "See 'When /ready answers 503' in docs/operations.md.")
