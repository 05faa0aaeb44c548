"""Parts of the API that a setting closes."""

import json
import re
from collections.abc import Callable

import httpx
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway import Gateway
from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.gateway_settings import build_settings
from tests.problem import read_problem

_ADMIN = ("/admin/events", "/admin/events/evt_1", "/admin/work/status", "/admin/reconcile/")
_DOCS = ("/docs", "/docs/", "/docs/assets/swagger-ui.css", "/openapi.json")


def test_a_setting_closes_the_admin_api_and_docs(
    start_gateway: Callable[..., GatewayProcess], superuser_token: str
) -> None:
    """Closed paths answer 404, to superusers as well; all others stay open."""
    gateway = start_gateway(GATEWAY_ADMIN_API="false", GATEWAY_API_DOCS="false")
    for path in (*_ADMIN, *_DOCS):
        headers = {"Authorization": superuser_token}
        answer = httpx.get(gateway.url + path, headers=headers, trust_env=False)
        read_problem(answer, 404)
    assert httpx.get(f"{gateway.url}/health", trust_env=False).status_code == 200
    read_problem(httpx.post(f"{gateway.url}/portal", trust_env=False), 401)


def test_the_document_leaves_out_what_is_closed(stack: Stack) -> None:
    """Neither paths below /admin nor schemas that only they use; without settings it is whole."""
    settings = build_settings(stack.pocketbase, gateway_admin_api=False)
    app = Gateway(settings=settings)
    whole = app.openapi()
    assert app.settings is settings
    served = app.openapi()
    assert {path for path in whole["paths"] if path not in served["paths"]} == {
        path for path in whole["paths"] if path.startswith("/admin/")
    }
    references = set(re.findall(r"#/components/schemas/([^\"]+)", json.dumps(served)))
    assert references <= served["components"]["schemas"].keys()
    assert "Problem" in served["components"]["schemas"]
    assert "ReplayReport" not in served["components"]["schemas"]
    OpenAPIV31SpecValidator(served).validate()
