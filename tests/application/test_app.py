"""A team's app: endpoints, transforms, mirrored objects, handlers and commands."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from gateway.app.commands import OWN_COMMANDS
from gateway.cli import main
from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.pocketbase import ROOT
from gateway.dev.stack import Stack
from gateway.ids import record_id
from tests.dashboard import Dashboard
from tests.deadline import wait_until
from tests.delivery import Sender, build_event
from tests.frontend import Frontend, User
from tests.problem import read_problem


async def test_an_endpoint_knows_its_caller(api: httpx.AsyncClient, user: User) -> None:
    """`CurrentUser` is the caller's record, `OptionalUser` a guest too; its text has no token."""
    found = (await api.get("/whoami", headers=user.bearer)).json()
    assert (found["id"], found["email"], found["record"]["email"]) == (
        user.id,
        user.email,
        user.email,
    )
    assert user.token not in found["shown"]
    assert (await api.get("/greeting")).json() == {"hello": "guest"}
    assert (await api.get("/greeting", headers=user.bearer)).json() == {"hello": user.email}


async def test_other_callers_are_refused(
    api: httpx.AsyncClient, user: User, superuser_token: str
) -> None:
    """A guest, a forged token and a superuser don't count as a user, nor a user as a superuser."""
    root = {"Authorization": superuser_token}
    forged = {"Authorization": f"Bearer {user.token[:-4]}AAAA"}
    read_problem(await api.get("/whoami"), 401)
    read_problem(await api.get("/whoami", headers=forged), 401)
    read_problem(await api.get("/whoami", headers=root), 401)
    read_problem(await api.get("/greeting", headers=forged), 401)
    read_problem(await api.get("/operators"), 401)
    read_problem(await api.get("/operators", headers=forged), 401)
    read_problem(await api.get("/operators", headers=user.bearer), 403)
    assert "@" in (await api.get("/operators", headers=root)).json()["email"]


async def test_api_rules_apply_to_the_callers_client(
    stack: Stack, api: httpx.AsyncClient, user: User, frontend: Frontend
) -> None:
    """`UserPocketBase` lists what the caller may list, `PocketBase` everything."""
    body = {"title": "Mine"}
    made = await frontend.call(
        "POST", "/api/collections/articles/records", token=user.token, body=body
    )
    assert made["title"] == f"Mine ({stack.plan.superuser.email})"
    other = await frontend.sign_up()
    await frontend.call("POST", "/api/collections/articles/records", token=other.token, body=body)
    mine = (await api.get("/articles", headers=user.bearer)).json()
    guest = (await api.get("/articles")).json()
    assert (mine["mine"], guest["mine"]) == (1, 0)
    assert mine["all"] >= 2


async def test_settings_are_the_teams_own(api: httpx.AsyncClient) -> None:
    """One instance for both dependencies; a secret is masked, the lifespan's state is there."""
    found = (await api.get("/settings")).json()
    assert (found["name"], found["shown"], found["is_one"]) == ("corner", "**********", True)
    assert "@" in found["state"]


async def test_stripes_client_is_the_sdks(api: httpx.AsyncClient) -> None:
    """With the gateway's key and address."""
    assert (await api.get("/balance")).json() == {"object": "list"}


async def test_a_mirrored_object_becomes_a_row(sender: Sender, dashboard: Dashboard) -> None:
    """In the order of Stripe's clock, with the complete object."""
    for status, second in (("paid", 2), ("pending", 1)):
        payout = {"id": "po_1", "object": "payout", "status": status, "amount": 5, "created": 9}
        event = build_event("payout.updated", payout, created=1800000000 + second)
        assert (await sender.send(event)).is_success
    row = await dashboard.find("payouts", "po_1")
    assert row is not None
    assert (row["id"], row["status"], row["amount"]) == (record_id("po_1"), "paid", 5)
    assert row["stripe_object"]["status"] == "paid"
    assert row["created"].startswith("1970-01-01 00:00:09")


async def test_a_column_is_filled_and_never_costs_a_row(
    sender: Sender, dashboard: Dashboard
) -> None:
    """A function that fails leaves its column as it is; the gateway's columns are stored."""
    product = {"id": "prod_1", "object": "product", "name": "Tea", "active": True, "created": 9}
    steps = (({"tax_code": "txcd_1"}, 1, "Tea"), ({"name": "Green tea"}, 2, "Green tea"))
    for fields, second, name in steps:
        event = build_event("product.updated", product | fields, created=1800000000 + second)
        assert (await sender.send(event)).is_success
        row = await dashboard.find("products", "prod_1")
        assert row is not None
        assert (row["name"], row["tax_code"]) == (name, "txcd_1")


async def test_a_handler_is_called_for_a_domain_event(sender: Sender, notes: Path) -> None:
    """Of the sessions only the paid one is a purchase; the key is the same for the same event."""
    session = {"id": "cs_test_1", "object": "checkout.session", "mode": "payment"}
    unpaid = build_event("checkout.session.completed", session | {"payment_status": "unpaid"})
    paid = build_event("checkout.session.completed", session | {"payment_status": "paid"})
    for event in (unpaid, paid):
        assert (await sender.send(event)).is_success
    wait_until(lambda: paid["id"] in notes.read_text())
    [line] = _lines(notes, "checkout.session")
    type, id, key, name, opened_for = line.split()
    assert (type, id, name) == ("checkout.session.completed", paid["id"], "corner")
    assert re.fullmatch("[a-z0-9]{15}", key), "the id of the work's row"
    assert "@" in opened_for


def _lines(notes: Path, text: str) -> list[str]:
    return [line for line in notes.read_text().splitlines() if text in line]


def test_own_commands_are_listed() -> None:
    """The names that an app can't use are those of the command line."""
    assert set(main.commands) == OWN_COMMANDS


def test_a_command_has_the_clients(stack: Stack) -> None:
    """It is listed beside ours; a command of a nested router too."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            env=stack.gateway.env,
            cwd=stack.gateway.cwd,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    listed = run("--help").stdout
    assert "count-articles" in listed
    assert "Count the articles." in listed
    done = run("count-articles", "--title", "none like this")
    assert done.stdout == f"0 at {stack.pocketbase.url}\n", done.stderr
    assert run("print-label").stdout == "a label\n"
    unknown = run("no-such-command")
    assert unknown.returncode == 2
    assert "No such command" in unknown.stderr


async def test_a_plug_in_registers_everything(api: httpx.AsyncClient, frontend: Frontend) -> None:
    """A prefix is the endpoints' only; a router nested in FastAPI's own is registered too."""
    path = "/api/collections/labels/records"
    made = await frontend.call("POST", path, body={"name": "fragile"})
    assert made["name"] == "FRAGILE"
    changed = await frontend.call("PATCH", f"{path}/{made['id']}", body={"name": "very fragile"})
    assert changed["name"] == "very "
    assert (await api.get("/plugin/labels")).is_success


async def test_a_teams_middleware_sees_every_request(
    stack: Stack, api: httpx.AsyncClient, sender: Sender
) -> None:
    """Webhooks and hooks included, each once and with a request id."""
    answers = [
        await sender.send(build_event("some.type", {"id": "x_1", "object": "x"})),
        await api.post("/hooks/records", json={}),
        await api.get("/health"),
        await api.get("/nowhere"),
    ]
    for answer in answers:
        assert answer.headers.get_list("x-tagged") == ["yes"]
        assert answer.headers["x-request-id"]
    read_problem(answers[1], 401)


async def test_the_document_shows_the_teams_endpoints(api: httpx.AsyncClient) -> None:
    """With our errors, and with the paths of its transforms."""
    document = (await api.get("/openapi.json")).json()
    assert document["info"]["title"] == "Shop"
    whoami = document["paths"]["/whoami"]["get"]
    assert "422" not in whoami["responses"]
    assert whoami["security"] == [{"userToken": []}]
    assert "/records/labels/{record_id}" in document["paths"]


def test_reconciliation_lists_what_the_app_mirrors(stack: Stack) -> None:
    """Its collection can be chosen."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "reconcile", "--only", "payouts", "--dry-run"],
        env=stack.gateway.env,
        cwd=stack.gateway.cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


async def test_errors_are_answered_as_the_team_says(api: httpx.AsyncClient) -> None:
    """An HTTPException becomes a problem, whatever its detail; a handler of the team's is used."""
    text = read_problem(await api.delete("/orders/1"), 409)
    assert text["detail"] == text["message"] == "already shipped"
    other = (await api.delete("/orders/0")).json()
    assert (other["detail"], other["error"]) == ("Conflict", {"order": "is none"})
    answer = await api.get("/broken")
    assert (answer.status_code, answer.text) == (500, "sorry: LookupError")


async def test_a_browser_may_use_every_method(stack: Stack, api: httpx.AsyncClient) -> None:
    """Endpoints of a team's delete and put as well."""
    headers = {
        "Origin": stack.plan.frontend_origins[0],
        "Access-Control-Request-Method": "DELETE",
    }
    assert (await api.options("/orders/1", headers=headers)).is_success


def test_the_guides_app_runs(start: Callable[..., GatewayProcess], stack: Stack) -> None:
    """The file of docs/app.md is served as it is there."""
    text = (ROOT / "docs" / "app.md").read_text()
    code = text.partition("```python app.py\n")[2].partition("```")[0]
    gateway = start("app.py", code)
    read_problem(httpx.get(f"{gateway.url}/articles/count", trust_env=False), 401)
    gateway.stop()
    # Its table is in force until the shared app registers again.
    ready = f"{stack.gateway.url}/ready"
    wait_until(lambda: httpx.get(ready, trust_env=False).is_success, 30)
