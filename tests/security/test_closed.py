"""Parts of the API that a setting closes."""

from collections.abc import Callable

import httpx

from gateway.dev.gateway_process import GatewayProcess
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
