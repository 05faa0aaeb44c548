"""A module as users write it: its functions alone, its table, and how the table is shown."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from gateway.dev.stack import Stack
from gateway.settings import Settings
from gateway.transforms import FieldErrors, Refused, Transform, TransformContext
from gateway.transforms.runner import TransformRunner
from gateway.transforms.transform import Function
from gateway.transforms.validation import describe, find_changes, read_incoming
from tests.transforms.sample_transforms import TRANSFORMS, NoteInput, keep_locked, prepare_note


def test_a_pure_transform_is_tested_by_one_line() -> None:
    """No server, no fixture: values in, values out."""
    assert prepare_note(NoteInput(title="A  B"), TransformContext("create", "notes")).slug == "a-b"


def test_what_a_transform_refuses_is_tested_by_one_line() -> None:
    """Errors of fields and refusals are exceptions that hold what the client will read."""
    with pytest.raises(FieldErrors) as wrong:
        prepare_note(NoteInput(title="taken"), TransformContext("create", "notes"))
    assert wrong.value.errors == {"title": ("title_taken", "Choose another title.")}
    with pytest.raises(Refused) as refused:
        keep_locked({}, TransformContext("delete", "notes", original={"title": "locked"}))
    assert (refused.value.status, refused.value.message) == (403, "A locked note stays.")


def test_only_what_differs_is_written() -> None:
    """A create is given the model's defaults, an update only what the function set."""
    values = {"title": "same", "tags": []}
    create, update = TransformContext("create", "notes"), TransformContext("update", "notes")
    note = NoteInput.model_validate(values).model_copy(update={"slug": "new"})
    assert find_changes(values, note, create) == {"slug": "new", "kind": "plain"}
    assert find_changes(values, note, update) == {"slug": "new"}
    assert find_changes(values, {"title": "same", "slug": ""}, update) == {"slug": ""}
    assert find_changes(values, None, update) == {}


@pytest.mark.parametrize(
    ("before", "after", "is_written"),
    [
        (True, 1, True),
        (0, False, True),
        ([{"paid": 1}], [{"paid": True}], True),
        ([{"paid": 1}], [{"paid": 1.0}], False),
        (2, 2.0, False),
        (True, True, False),
    ],
)
def test_true_is_not_one(before: Any, after: Any, *, is_written: bool) -> None:
    """A JSON field shows which it is, so it is a change; 1 and 1.0 are the same number."""
    found = find_changes({"seen": before}, {"seen": after}, TransformContext("update", "mirrors"))
    assert found == ({"seen": after} if is_written else {})


def test_what_a_create_leaves_out_is_left_to_the_models_defaults() -> None:
    """PocketBase's empty values of fields that were not sent do not come in; sent ones do."""
    record = {"title": "", "body": "", "count": 0, "tags": [], "collectionName": "notes"}
    context = TransformContext("create", "notes", sent=frozenset({"title"}))
    assert read_incoming(record, context) == {"title": ""}
    assert read_incoming(record, TransformContext("update", "notes")).keys() == record.keys() - {
        "collectionName"
    }


def test_errors_of_nested_values_are_their_fields() -> None:
    """The error is on the outermost field; its message names the path."""

    class Item(BaseModel):
        quantity: int

    class Order(BaseModel):
        items: list[Item]
        name: str

    with pytest.raises(ValidationError) as wrong:
        Order.model_validate({"items": [{"quantity": 1}, {"quantity": "many"}]})
    fields, general = describe(wrong.value)
    assert fields["items"][0] == "validation_int_parsing"
    assert fields["items"][1].startswith("1.quantity: ")
    assert fields["name"] == ("validation_required", "Cannot be blank.")
    assert general == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"collection": ""},
        {"operations": set()},
        {"operations": {"read"}},
        {"operations": {"create", "delete"}},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"timeout": 61},
        {"on_failure": "shrug"},
    ],
)
def test_a_transform_that_makes_no_sense_cannot_be_made(wrong: dict[str, Any]) -> None:
    """It is refused where it is written, by a sentence."""
    good: dict[str, Any] = {
        "collection": "notes",
        "operations": {"create"},
        "function": prepare_note,
        "model": NoteInput,
    }
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        Transform(**(good | wrong))


async def test_a_model_may_have_a_title_of_its_own() -> None:
    """Its errors are those of fields, under whatever name the documentation shows it."""

    class Titled(BaseModel, title="A review"):
        stars: int

    async def run(function: Function) -> dict[str, Any]:
        transform = Transform("reviews", {"create"}, function, Titled)
        item = {"collection": "reviews", "operation": "create", "sent": [], "original": None}
        found = TransformRunner({("reviews", "create"): transform})
        return await found.run(item | {"record": {"stars": "many"}, "files": {}}, None)

    result = await run(lambda incoming, context: incoming)
    assert result["errors"].keys() == {"stars"}


_SETTINGS = {
    "POCKETBASE_SUPERUSER_EMAIL": "me@example.com",
    "POCKETBASE_SUPERUSER_PASSWORD": "a-password-of-mine",
    "STRIPE_SECRET_KEY": "sk_test_mine",
    "STRIPE_WEBHOOK_SECRETS": "whsec_mine",
    "GATEWAY_FRONTEND_ORIGINS": "https://app.example.com",
    "GATEWAY_HOOK_SECRETS": "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU=",
    "GATEWAY_APP": "tests.transforms.sample_transforms:app",
}

_BROKEN = {
    "": "the variable app does not exist",
    "app = 5": "the variable app is of type int",
    "from fastapi import FastAPI\napp = FastAPI()": "the variable app is of type FastAPI",
    "raise RuntimeError('half written')": "RuntimeError: half written (broken.py, line 1)",
    "import a_module_that_is_not_there": "ModuleNotFoundError",
    "app = (": "SyntaxError",
}


@pytest.mark.parametrize("text", _BROKEN)
def test_an_app_that_is_wrong_stops_the_start(text: str, tmp_path: Path) -> None:
    """The sentence names the setting, the module and what is wrong with it."""
    (tmp_path / "broken.py").write_text(text)
    path = os.pathsep.join([os.getcwd(), str(tmp_path)])
    done = _run("serve", "--port=0", GATEWAY_APP="broken:app", PYTHONPATH=path)
    assert done.returncode == 1
    assert done.stderr.startswith("GATEWAY_APP=broken:app")
    assert _BROKEN[text] in done.stderr
    assert "Traceback" not in done.stderr


def _run(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", *arguments]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd(), **_SETTINGS, **changed}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("changed", "variable"),
    [
        ({"GATEWAY_APP": "no.such.module"}, "GATEWAY_APP"),
        ({"GATEWAY_HOOK_SECRETS": ""}, "GATEWAY_HOOK_SECRETS"),
        ({"GATEWAY_HOOK_SECRETS": "whsec_c2hvcnQ="}, "GATEWAY_HOOK_SECRETS"),
        ({"GATEWAY_HOOK_SECRETS": "hunter2"}, "GATEWAY_HOOK_SECRETS"),
        (
            {"GATEWAY_HOOK_SECRETS": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
            "GATEWAY_HOOK_SECRETS",
        ),
        ({"GATEWAY_PUBLIC_URL": "gateway:8000"}, "GATEWAY_PUBLIC_URL"),
    ],
)
def test_the_gateway_does_not_start_with_a_wrong_setting(
    changed: dict[str, str], variable: str
) -> None:
    """It ends at once, and names the variable but never a secret's value."""
    done = _run("serve", "--port=0", POCKETBASE_URL="http://127.0.0.1:9", **changed)
    assert done.returncode == 1
    assert variable in done.stderr
    secret = changed.get("GATEWAY_HOOK_SECRETS")
    assert not secret or secret not in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_line_lists_the_table() -> None:
    """`gateway transforms list` shows every transform with its model's JSON schema."""
    found = json.loads(_run("transforms", "list", "--json").stdout)
    assert [item["collection"] for item in found] == [item.collection for item in TRANSFORMS]
    assert found[0]["operations"] == ["create", "update"]
    assert found[0]["function"] == "tests.transforms.sample_transforms.prepare_note"
    assert found[0]["schema"]["properties"]["title"]["minLength"] == 3
    text = _run("transforms", "list").stdout
    assert "notes: create, update" in text
    assert "at most 0.2 s, fails open" in text
    assert '"minLength": 3' in text
    assert "no transforms" in _run("transforms", "list", GATEWAY_APP="").stdout


def test_the_documentation_shows_the_table(records_stack: Stack) -> None:
    """/docs has a section with every transform, and the models as schemas of the endpoints."""
    document = httpx.get(f"{records_stack.gateway.url}/openapi.json", trust_env=False).json()
    [tag] = [tag for tag in document["tags"] if tag["name"] == "records"]
    for transform in TRANSFORMS:
        assert f"| `{transform.collection}` |" in tag["description"]
    assert document["components"]["schemas"]["NoteInput"]["properties"]["title"]["minLength"] == 3
    body = document["paths"]["/records/{collection}"]["post"]["requestBody"]["content"]
    shapes = body["application/json"]["schema"]["anyOf"]
    assert {"$ref": "#/components/schemas/NoteInput"} in shapes


def test_a_hook_secret_is_kept_out_of_what_settings_show() -> None:
    """Neither the text of the settings nor their JSON has it."""
    secret = _SETTINGS["GATEWAY_HOOK_SECRETS"]
    shown = repr(Settings.model_construct(gateway_hook_secrets=(SecretStr(secret),)))
    assert secret not in shown
