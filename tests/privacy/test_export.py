"""`gateway users export`: everything about the person, without secrets and other people's data."""

import json
import os
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from gateway.dev.stack import Stack
from gateway.privacy.archive import Archive
from gateway.privacy.cleaning import MASK, clean
from tests.operations.operator import run_gateway
from tests.privacy.people import Buyer

_SECRETS = ("tokenKey", "password", "api_token", "client_secret", "t0p")


async def test_everything_about_the_person(buyer: Buyer, stack: Stack, tmp_path: Path) -> None:
    """One zip has the account, purchases, events, jobs, the team's records, files, and Stripe."""
    path = tmp_path / "export.zip"
    command = ("users", "export", buyer.user.email, "--output", str(path))
    done = await run_gateway(stack, *command)
    assert done.code == 0, done.err
    assert path.stat().st_mode & 0o077 == 0
    with ZipFile(path) as archive:
        content = {name: archive.read(name).decode() for name in archive.namelist()}
    found = {
        Path(name).stem: json.loads(text)
        for name, text in content.items()
        if name.startswith("pocketbase/")
    }
    assert found["users"][0]["email"] == buyer.user.email
    assert {each["stripe_id"] for each in found["customers"]} == set(buyer.customers)
    for name in ("subscriptions", "invoices", "payments", "entitlements", "checkout_sessions"):
        assert {each["user"] for each in found[name]} == {buyer.user.id}, name
    assert any(each["payload"] for each in found["stripe_events"])
    assert [each["id"] for each in found["gateway_work"] if each["handler"] == "none"]
    assert {each["recordRef"] for each in found["_authOrigins"]} == {buyer.user.id}
    assert [each["id"] for each in found["notes"]] == [buyer.note]
    [lead] = found["leads"]
    assert lead["remark"] == f"Ask {buyer.user.email} and {MASK}"
    [file] = [
        text for name, text in content.items() if name.startswith(f"files/notes/{buyer.note}")
    ]
    assert file == f"{buyer.name} was here"
    stripe = json.loads(content["stripe/customers.json"])
    assert {each["id"] for each in stripe} == set(buyer.customers)
    assert [card["card"]["last4"] for each in stripe for card in each["payment_methods"]]
    manifest = json.loads(content["manifest.json"])
    assert (manifest["user"], manifest["stripe"]) == (buyer.user.id, "included")
    assert "bob@other.test" not in str(content)
    assert not [secret for secret in _SECRETS if secret in str(content)]
    again = await run_gateway(stack, *command)
    assert (again.code, again.err.strip()) == (1, f"{path} exists: choose another --output.")
    nowhere = tmp_path / "missing" / "export.zip"
    refused = await run_gateway(stack, *command[:-1], str(nowhere))
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(f"{nowhere} can't be written (No such file or directory)")


def test_an_archive_can_be_piped() -> None:
    """Standard output of a container is not seekable."""
    end, start = os.pipe()
    with os.fdopen(start, "wb") as stream, Archive(Path("-"), stream) as archive:
        archive.write_json("manifest.json", {"user": "ann"})
    with os.fdopen(end, "rb") as piped, ZipFile(BytesIO(piped.read())) as found:
        assert json.loads(found.read("manifest.json")) == {"user": "ann"}


def test_secrets_and_addresses_of_others() -> None:
    """Names of secrets decide at any depth; other addresses are masked inside of texts."""
    record = {
        "tokenKey": "x",
        "apiKey": "x",
        "holder": {"api_key": "x", "kept": ["ann@a.test", "To Bob <bob@b.test>"]},
        "link": "https://pay.test/pi_1_secret_2",
        "tokens_used": 5,
    }
    assert clean(record, ["ann@a.test"]) == {
        "holder": {"kept": ["ann@a.test", f"To Bob <{MASK}>"]},
        "link": None,
        "tokens_used": 5,
    }
