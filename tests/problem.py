"""The one form of every error: RFC 9457 problem+json with PocketBase's members."""

import json
from typing import Any

import httpx
import jsonschema_rs

from gateway.dev.pocketbase import ROOT

_SCHEMAS: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text())["components"]
_DOCUMENTED = jsonschema_rs.validator_for(
    {"$ref": "#/components/schemas/Problem", "components": _SCHEMAS}
)


def read_problem(answer: httpx.Response, status: int, slug: str = "") -> dict[str, Any]:
    """Check that an answer is a problem document of this status, as documented; return it.

    Args:
        slug: the last part of its `type`, when it has to be that one.
    """
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    for member in ("type", "title", "detail", "message"):
        assert isinstance(document[member], str)
        assert document[member]
    assert isinstance(document["data"], dict)
    _DOCUMENTED.validate(document)
    assert document.keys() <= _SCHEMAS["schemas"]["Problem"]["properties"].keys()
    if slug:
        assert document["type"] == f"urn:problem:{slug}"
    return document
