"""The client as a dependency of endpoints: app.py of docs/pocketbase-client.md, in a gateway."""

from collections.abc import Iterator

import httpx
import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.pocketbase import PocketBaseProcess
from gateway.dev.stack import Stack
from gateway.pocketbase.api import Auth, PocketBaseClient
from tests.pocketbase_client.conftest import sign_up
from tests.pocketbase_client.page import read_file
from tests.second_gateway import build_second_gateway, started

#: Endpoints that let errors of PocketBase through.
_FURTHER = """

@app.post("/posts")
async def create_post(body: dict[str, str], pb: UserPocketBase) -> dict[str, str]:
    return {"id": (await pb.collection("posts").create(body))["id"]}


@app.get("/found")
async def find(text: str, pb: PocketBase) -> int:
    return await pb.collection("posts").count(filter("title ~ {:text}", text=text))


@app.get("/misfit")
async def read_misfit(pb: PocketBase) -> None:
    await pb.collection("posts", Misfit).first()


from pydantic import BaseModel

from gateway import filter


class Misfit(BaseModel):
    title: bool
"""


@pytest.fixture(scope="module")
def app(
    blog: Stack, server: PocketBaseProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """A gateway that serves the page's app."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.py").write_text(read_file("app.py") + _FURTHER)
    made = build_second_gateway(blog, folder / "gateway.log", **blog.plan.gateway_env)
    made.cwd = folder
    with started(made):
        yield made


def _bearer(auth: Auth[dict[str, object]]) -> dict[str, str]:
    return {"Authorization": f"Bearer {auth.token}"}


async def test_each_caller_reads_as_themselves(
    app: GatewayProcess, pb: PocketBaseClient, http: httpx.AsyncClient
) -> None:
    """UserPocketBase has the caller's view, also of requests at the same time."""
    owner, other = await sign_up(pb), await sign_up(pb)
    post = await pb.collection("posts").create({"title": "own", "author": owner.record["id"]})
    url = f"{app.url}/mine/{post['id']}"
    assert (await http.get(url, headers=_bearer(owner))).json() == {"title": "own"}
    for headers in (_bearer(other), {}):
        answer = await http.get(url, headers=headers)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["message"] == "The requested resource wasn't found."


async def test_the_superusers_client_sees_all(
    app: GatewayProcess, pb: PocketBaseClient, http: httpx.AsyncClient
) -> None:
    """PocketBase counts also what the caller may not see; CurrentUser still refuses guests."""
    await pb.collection("posts").create({"title": "hidden"})
    user = await sign_up(pb)
    count = (await http.get(f"{app.url}/count", headers=_bearer(user))).json()
    assert count == await pb.collection("posts").count()
    assert (await http.get(f"{app.url}/count")).status_code == 401


async def test_an_error_keeps_pocketbases_fields(
    app: GatewayProcess, pb: PocketBaseClient, http: httpx.AsyncClient
) -> None:
    """The JavaScript SDK shows them at the form's fields."""
    user = await sign_up(pb)
    answer = await http.post(f"{app.url}/posts", json={"title": ""}, headers=_bearer(user))
    assert answer.status_code == 400
    assert answer.json()["data"]["title"]["code"] == "validation_required"


async def test_a_value_that_no_filter_can_have_is_the_callers_error(
    app: GatewayProcess, http: httpx.AsyncClient
) -> None:
    """400, and wildcards match only themselves."""
    assert (await http.get(f"{app.url}/found", params={"text": "a\0b"})).status_code == 400
    assert (await http.get(f"{app.url}/found", params={"text": "%"})).json() == 0


async def test_a_record_that_does_not_fit_is_a_bug_without_details(
    app: GatewayProcess, pb: PocketBaseClient, http: httpx.AsyncClient
) -> None:
    """The log has them; the response has none."""
    await pb.collection("posts").create({"title": "misfit"})
    answer = await http.get(f"{app.url}/misfit")
    assert answer.status_code == 500
    assert "Misfit" not in answer.text
    assert "does not fit Misfit" in app.log.read_text()
