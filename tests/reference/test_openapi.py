"""The OpenAPI document is fit to generate clients from."""

import json
import os
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.app.loader import load_app
from gateway.dev.pocketbase import ROOT
from gateway.http.problem_schema import list_types

Json = dict[str, Any]

_POSTS = "examples.app:app"
_CLASHING = "tests.reference.clashing_transforms:app"


def describe_api(app: str = "") -> Json:
    """Return the document of an app; "" for a gateway without one."""
    return load_app({"GATEWAY_APP": app}).openapi()


@pytest.fixture(scope="module")
def document() -> Json:
    """The document of a gateway without transforms."""
    return describe_api()


@pytest.fixture(scope="module")
def posts() -> Json:
    """The document of a gateway with the transforms of the example project."""
    return describe_api(_POSTS)


def _operations(document: Json) -> list[tuple[str, Json]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize("transforms", ["", _POSTS, _CLASHING])
def test_the_document_is_valid(transforms: str) -> None:
    """It follows OpenAPI 3.1, with and without transforms."""
    document = describe_api(transforms)
    assert document["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_it_says_where_the_api_is(document: Json) -> None:
    """The first server is the one that serves the document; another address can be filled in."""
    own, another = document["servers"]
    assert own["url"] == "/"
    assert another["variables"]["gateway"]["default"] == "http://127.0.0.1:8000"


def test_every_error_is_a_problem(posts: Json) -> None:
    """Each error response refers to `Problem`, also that for errors which are not listed."""
    for name, operation in _operations(posts):
        assert "default" in operation["responses"], name
        for status, entry in operation["responses"].items():
            if status[0] in "45d":
                schema = entry["content"]["application/problem+json"]["schema"]
                assert schema == _ref("Problem"), f"{name}: {status}"


def test_problems_name_their_types_and_members(posts: Json) -> None:
    """Examples have types of the enum, and members that are described."""
    properties = posts["components"]["schemas"]["Problem"]["properties"]
    types = properties["type"]["enum"]
    assert {"portal_url", "retry_after"} <= properties.keys()
    assert {"about:blank", "urn:problem:already-subscribed", "urn:problem:no-transform"} <= {*types}
    for name, operation in _operations(posts):
        for entry in operation["responses"].values():
            content = entry["content"].get("application/problem+json", {})
            for example in content.get("examples", {}).values():
                assert example["value"]["type"] in types, name
                assert example["value"].keys() <= properties.keys(), name


def test_errors_of_commands_are_not_types() -> None:
    """The types are the same in a process that runs commands."""
    import_module("gateway.cli")
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    problem = document["components"]["schemas"]["Problem"]
    assert list_types() == problem["properties"]["type"]["enum"]


def test_a_purchase_that_is_refused_shows_the_portal(document: Json) -> None:
    """The example of a second subscription has the members that go with it."""
    responses = document["paths"]["/checkout"]["post"]["responses"]
    examples = responses["409"]["content"]["application/problem+json"]["examples"]
    assert examples["already-subscribed"]["value"]["portal_url"].startswith("https://")


def test_each_collection_has_its_own_paths(posts: Json) -> None:
    """A collection's path takes its model without a name parameter; the general path stays."""
    create = posts["paths"]["/records/posts"]["post"]
    assert create["operationId"] == "create_posts_record"
    for form in create["requestBody"]["content"].values():
        assert form["schema"] == _ref("PostInput")
    assert "collection" not in [each["name"] for each in create["parameters"]]
    assert create["responses"]["200"]["content"]["application/json"]["schema"] == _ref("Record")
    update = posts["paths"]["/records/posts/{record_id}"]["patch"]
    assert [each["name"] for each in update["parameters"] if each["in"] == "path"] == ["record_id"]
    assert "/records/{collection}" in posts["paths"]


def test_an_update_sends_what_changes(posts: Json) -> None:
    """An update may leave out members that a create requires."""
    schemas = posts["components"]["schemas"]
    update = posts["paths"]["/records/posts/{record_id}"]["patch"]
    for form in update["requestBody"]["content"].values():
        assert form["schema"] == _ref("PostInputUpdate")
    assert schemas["PostInput"]["required"]
    assert "required" not in schemas["PostInputUpdate"]
    assert schemas["PostInputUpdate"]["properties"] == schemas["PostInput"]["properties"]


def test_a_model_does_not_take_the_place_of_a_schema_of_ours(document: Json) -> None:
    """Models with names of our own schemas are shown under others, with what they refer to."""
    clashing = describe_api(_CLASHING)
    ours, schemas = document["components"]["schemas"], clashing["components"]["schemas"]
    for name in ("Problem", "CheckoutItem"):
        assert schemas[name] == ours[name]
    body = clashing["paths"]["/records/complaints"]["post"]["requestBody"]["content"]
    assert body["application/json"]["schema"] == _ref("ProblemInput")
    items = schemas["ProblemInput"]["properties"]["items"]
    assert items["items"] == _ref("CheckoutItemInput")
    assert "color" in schemas["CheckoutItemInput"]["properties"]


def test_a_type_that_json_schema_does_not_know_is_shown_as_any() -> None:
    """A model with such a field takes nothing else from the document."""
    problem = describe_api(_CLASHING)["components"]["schemas"]["ProblemInput"]
    assert problem["properties"]["lock"]["anyOf"] == [{}, {"type": "null"}]


def test_401_and_403_say_whose_token_is_needed(posts: Json) -> None:
    """Operations of superusers, and only these, name the superuser scheme."""
    for name, operation in _operations(posts):
        schemes = {scheme for each in operation.get("security", []) for scheme in each}
        refused = {s: e["description"] for s, e in operation["responses"].items() if s == "401"}
        for text in refused.values():
            if schemes == {"superuserToken"}:
                assert text == "A PocketBase superuser token is needed.", name
                forbidden = operation["responses"]["403"]["description"]
                assert "Only a PocketBase superuser may do this." in forbidden, name
            elif name != "POST /usage":
                assert "superuser" not in text, name
        assert bool(refused) == bool(schemes), name


def test_nobody_is_told_of_a_403_that_is_never_sent(posts: Json) -> None:
    """A 403 is documented where something can be forbidden, with the reason."""
    for name, operation in _operations(posts):
        entry = operation["responses"].get("403")
        assert entry is None or entry["description"] != "This is not allowed.", name
    assert "403" not in posts["paths"]["/checkout/{session_id}"]["get"]["responses"]


def test_guests_need_no_token_to_write_records(posts: Json) -> None:
    """Whether a guest may write is for PocketBase's rules to say."""
    assert {} in posts["paths"]["/records/posts"]["post"]["security"]


def test_what_is_always_sent_is_required(document: Json) -> None:
    """Generated clients need not ask whether a member of a response is there."""
    schemas = document["components"]["schemas"]
    for name, operation in _operations(document):
        for status, entry in operation["responses"].items():
            schema = entry["content"].get("application/json", {}).get("schema", {})
            if status.startswith("2") and "$ref" in schema:
                found = schemas[schema["$ref"].rpartition("/")[2]]
                assert {*found["required"]} == {*found["properties"]}, name


def test_no_member_of_a_request_is_empty_by_default(document: Json) -> None:
    """Absent members are null or left out."""
    for name, schema in document["components"]["schemas"].items():
        for member, described in schema.get("properties", {}).items():
            assert described.get("default") != "" or "const" in str(described), f"{name}.{member}"


@pytest.mark.parametrize("name", ["CheckoutRequest", "PortalRequest", "CustomerMove"])
def test_what_need_not_be_given_may_be_null(name: str, document: Json) -> None:
    """Members of requests without a user are null or left out."""
    schema = document["components"]["schemas"][name]["properties"]["organization"]
    assert {"type": "null"} in schema["anyOf"]


@pytest.mark.parametrize("name", ["CheckoutResponse.url", "CheckoutOutcome.payment"])
def test_a_member_that_may_be_empty_says_so(name: str, document: Json) -> None:
    """A member that may be "" is a union of "" and its other values."""
    model, _, member = name.partition(".")
    schema = document["components"]["schemas"][model]["properties"][member]
    empty, value = schema["anyOf"]
    assert empty["const"] == ""
    assert "format" in value or "pattern" in value


def test_the_command_prints_the_document_without_any_settings() -> None:
    """A build of a frontend gets the document with its collections, and needs no secrets."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "openapi"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        cwd=ROOT / "examples",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "/records/posts" in json.loads(done.stdout)["paths"]


def test_a_refused_parameter_is_documented() -> None:
    """Operations with a parameter or body list status 400, never 422."""
    for name, operation in _operations(describe_api("tests.security.app:app")):
        can_be_invalid = "requestBody" in operation or operation.get("parameters")
        assert not can_be_invalid or "400" in operation["responses"], name
        assert "422" not in operation["responses"], name
