"""`gateway doctor` on a deployment without a fault, and on one that does not answer."""

from gateway.dev.ports import pick_free
from gateway.dev.stack import Stack
from gateway.doctor.registry import CHECKS
from tests.dashboard import Dashboard
from tests.doctor.conftest import Doctor
from tests.stripe_account import StripeAccount

#: Checks that a local stack can't run, with the beginning of the reason.
_SKIPPED = {
    "secrets.files": "there is no .env",
    "web.tls": "PocketBase's application URL",
}


async def test_all_checks_pass(
    doctor: Doctor, dashboard: Dashboard, account: StripeAccount
) -> None:
    """Each check is ok, or is skipped for a stated reason; the exit code is 0."""
    await account.wait_delivered()
    await dashboard.call("POST", "/api/backups", {"name": "healthy.zip"})
    report = await doctor()
    assert list(report.checks) == list(CHECKS)
    others = {id: each for id, each in report.checks.items() if each["status"] != "ok"}
    # The lock file is compared with a development environment, which may have other versions.
    others.pop("versions.packages", None)
    assert {id: each["status"] for id, each in others.items()} == dict.fromkeys(_SKIPPED, "skipped")
    for id, reason in _SKIPPED.items():
        assert others[id]["found"].startswith(reason)
    assert "on PocketBase's own disk" in report.checks["backups.age"]["found"]
    assert report.code == 0


async def test_pocketbase_down(doctor: Doctor) -> None:
    """Without PocketBase, one row fails, and the checks that need it are skipped."""
    report = await doctor(POCKETBASE_URL=f"http://127.0.0.1:{pick_free()}")
    report.assert_failed("pocketbase.reachable", "PocketBase")
    for id in ("collections.rules", "storage.disk", "backups.age", "events.failed", "work.parked"):
        assert report.checks[id]["found"] == "PocketBase can't be used: see pocketbase.reachable"
        assert report.checks[id]["status"] == "skipped"
    report.assert_ok("stripe.key")
    report.assert_ok("gateway.ready")


async def test_stripe_and_gateway_down(doctor: Doctor) -> None:
    """Without Stripe and the gateway, their rows fail, and checks that need them are skipped."""
    nowhere = f"http://127.0.0.1:{pick_free()}"
    report = await doctor(
        "stripe",
        "webhooks",
        "clocks",
        "gateway",
        "web",
        STRIPE_API_BASE=nowhere,
        GATEWAY_PUBLIC_URL=nowhere,
    )
    report.assert_failed("stripe.key", "Stripe")
    report.assert_failed("gateway.reachable", "does not answer")
    for id in ("webhooks.endpoint", "clocks.stripe", "gateway.ready", "web.cors"):
        assert report.checks[id]["status"] == "skipped", report.checks[id]
    report.assert_ok("clocks.pocketbase")


async def test_no_settings(doctor: Doctor, stack: Stack) -> None:
    """Without settings, the missing ones are named; nothing else fails the command."""
    empty = {name: "" for name in stack.gateway.env if name.startswith(("POCKETBASE", "STRIPE"))}
    report = await doctor(**empty)
    report.assert_failed("settings.valid", "POCKETBASE_SUPERUSER_EMAIL is not set")
    failed = [id for id, each in report.checks.items() if each["status"] == "failed"]
    assert failed == ["settings.valid"]


async def test_an_unknown_check_is_refused(doctor: Doctor) -> None:
    """--only names a check or a group."""
    assert (await doctor("collections.rulez")).code == 1
