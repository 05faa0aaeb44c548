"""A team mirrors one more Stripe object: migration, projection, registry entry, and this test."""

from pathlib import Path

import pytest

from tests.mirror.copied_project import CopiedProject

_MIGRATION = """
migrate((app) => app.save(new Collection({
  name: "payouts", type: "base",
  fields: [
    { name: "stripe_id", type: "text", required: true },
    { name: "version", type: "text", hidden: true },
    { name: "stripe_object", type: "json", hidden: true },
    { name: "status", type: "text" },
    { name: "amount", type: "number" },
    { name: "created", type: "date" },
  ],
  indexes: ["CREATE UNIQUE INDEX idx_payouts_stripe_id ON payouts (stripe_id)"],
})), (app) => app.delete(app.findCollectionByNameOrId("payouts")))
"""
_PROJECTION = '''
"""A payout: money on its way to the seller's bank."""

from gateway.dates import unix_to_column
from gateway.stripe_api.fields import as_number, as_text, stripe_id
from gateway.rows import Changes, Json, Row


def project_payout(payout: Json, deleted: bool) -> Changes:
    """Paid payouts can still fail."""
    values = {
        "status": as_text(payout.get("status")),
        "amount": as_number(payout.get("amount")),
        "created": unix_to_column(payout.get("created")),
    }
    return Changes(Row("payouts", stripe_id(payout), values, final=deleted))
'''
_IMPORT = "from gateway.mirror.projections.subscription import project_subscription\n"
_ENTRY = '    MirroredObject("payout", "payouts", project_payout, "payouts"),\n'

#: Run in the copy: delivers two states, the newer one first, and prints the row.
_RUN = """
import sys
from json import dumps
from pathlib import Path

import httpx

from gateway.ids import record_id
from gateway.dev.plan import plan_throwaway
from gateway.dev.stack import Stack
from tests.delivery import build_event, sign

with Stack(plan_throwaway(Path(sys.argv[1]))) as running:
    for status, second in (("paid", 2), ("pending", 1)):
        payout = {"id": "po_1", "object": "payout", "status": status, "amount": 500, "created": 1}
        event = build_event("payout.updated", payout, created=1800000000 + second)
        body = dumps(event).encode()
        signature = sign(body, running.plan.stripe.webhook_secrets[0])
        answer = httpx.post(
            f"{running.gateway.url}/webhooks/stripe",
            content=body, headers={"Stripe-Signature": signature}, trust_env=False,
        )
        assert answer.is_success, answer.text
    assert httpx.get(f"{running.gateway.url}/ready", trust_env=False).is_success
    superuser = running.plan.superuser
    with httpx.Client(base_url=running.pocketbase.url, trust_env=False) as client:
        login = {"identity": superuser.email, "password": superuser.password}
        token = client.post("/api/collections/_superusers/auth-with-password", json=login)
        headers = {"Authorization": token.json()["token"]}
        row = f"/api/collections/payouts/records/{record_id('po_1')}"
        print(dumps(client.get(row, headers=headers).json()))
        print(client.delete("/api/collections/payouts", headers=headers).json()["message"])
"""


@pytest.fixture
def project(tmp_path: Path) -> CopiedProject:
    """This project with the three files of the new object."""
    copied = CopiedProject(tmp_path / "project")
    (copied.folder / "pb_migrations" / "1999999999_payouts.js").write_text(_MIGRATION)
    projection = copied.folder / "gateway" / "mirror" / "projections" / "payout.py"
    projection.write_text(_PROJECTION)
    registry = "gateway/mirror/registry.py"
    added = "from gateway.mirror.projections.payout import project_payout\n"
    copied.replace(registry, _IMPORT, added + _IMPORT)
    copied.replace(registry, "REGISTRY = (\n", f"REGISTRY = (\n{_ENTRY}")
    return copied


def test_three_files_mirror_a_new_object(project: CopiedProject, tmp_path: Path) -> None:
    """Its events become rows in their order, its collection is guarded, and /ready agrees."""
    derived = project.run("-m", "gateway.dev.vocabulary")
    assert derived.returncode == 0, derived.stderr
    (project.folder / "run.py").write_text(_RUN)
    (project.folder / "tests").mkdir()
    delivery = Path(__file__).parents[1] / "delivery.py"
    (project.folder / "tests" / "delivery.py").write_text(delivery.read_text())

    done = project.run("run.py", str(tmp_path / "data"))

    assert done.returncode == 0, done.stderr
    row, refusal = done.stdout.splitlines()[-2:]
    assert '"status": "paid"' in row
    assert '"amount": 500' in row
    assert "payouts belongs to the gateway" in refusal


def test_a_mirror_without_its_columns_does_not_start(project: CopiedProject) -> None:
    """A migration without `version` ends the start in one sentence that names the remedy."""
    migration = "pb_migrations/1999999999_payouts.js"
    project.replace(migration, '    { name: "version", type: "text", hidden: true },\n', "")
    assert project.run("-m", "gateway.dev.vocabulary").returncode == 0

    done = project.run(
        "-m",
        "gateway",
        "serve",
        POCKETBASE_URL="http://127.0.0.1:9",
        POCKETBASE_SUPERUSER_EMAIL="root@example.com",
        POCKETBASE_SUPERUSER_PASSWORD="a long password",
        STRIPE_SECRET_KEY="sk_test_mirror",
        STRIPE_WEBHOOK_SECRETS="whsec_bWlycm9y",
        GATEWAY_FRONTEND_ORIGINS="http://localhost:3000",
    )

    assert done.returncode != 0
    assert (
        done.stderr.strip()
        .splitlines()[-1]
        .endswith(
            "The mirror of payout needs the column version in the collection payouts: "
            "add a migration and run `make vocabulary`."
        )
    )
