"""Jobs in the OpenAPI document, and declarations that can't work."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

from gateway import Gateway, InvalidRegistration, JobContext
from gateway.app.loader import load_app
from tests.jobs.conftest import APP


class _Input(BaseModel):
    text: str


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document of app.py."""
    return load_app({"GATEWAY_APP": APP}).openapi()


def test_each_job_has_a_path_with_its_model(document: dict[str, Any]) -> None:
    """One path per job, without a router's prefix; a job without input has no body."""
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    shout = document["paths"]["/jobs/shout"]["post"]
    body = shout["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Text"}
    assert shout["operationId"] == "start_shout"
    assert "Return the text in capitals." in shout["description"]
    assert {"202", "400", "401", "409", "413", "429", "503"} <= shout["responses"].keys()
    assert shout["security"] == [{"userToken": []}]
    assert "requestBody" not in document["paths"]["/jobs/greet"]["post"]
    assert "/jobs/estimate-price" in document["paths"]
    assert "/jobs/{job_id}/events" in document["paths"]


def test_a_gateway_without_jobs_has_no_job_paths() -> None:
    """The paths come with the first job."""
    paths = load_app({"GATEWAY_APP": ""}).openapi()["paths"]
    assert [path for path in paths if path.startswith("/jobs")] == []


async def _plain(job: JobContext) -> None:
    """Do nothing."""


def _blocking(job: JobContext) -> None:
    """Not async."""


async def _three(first: _Input, job: JobContext, more: int) -> None:
    """Take too much."""


async def _untyped(text: str, job: JobContext) -> None:
    """Take no model."""


@pytest.mark.parametrize(
    ("function", "options", "sentence"),
    [
        (_blocking, {}, "must be an async function"),
        (_three, {}, "a job is called with its input and the context"),
        (_untyped, {}, "must be annotated with a Pydantic model"),
        (_plain, {"name": "Über uns"}, "the job's name is 'Über uns'"),
        (_plain, {"name": "a/b"}, "the job's name is 'a/b'"),
        (_plain, {"name": "x", "who": "admins"}, "who must be user, superuser, anyone"),
        (_plain, {"name": "x", "rate": "often"}, "rate is 'often'"),
        (_plain, {"name": "x", "rate": "1/month"}, "at most seven days"),
        (_plain, {"name": "x", "per_user": -1}, "per_user must be"),
        (_plain, {"name": "x", "tries": 0}, "tries must be"),
        (_plain, {"name": "x", "timeout": float("nan")}, "timeout must be"),
        (_plain, {"name": "x", "concurrency": 0}, "concurrency must be"),
    ],
)
def test_a_wrong_declaration_names_its_place(
    function: Any, options: dict[str, Any], sentence: str
) -> None:
    """The error begins with file and line of the function."""
    with pytest.raises(InvalidRegistration, match=sentence) as refused:
        Gateway().job(**{"name": "x", **options})(function)
    assert "test_openapi.py" in str(refused.value)


def test_two_jobs_of_one_name_are_refused() -> None:
    """Their rows could not be told apart."""
    app = Gateway()
    app.job(name="same")(_plain)

    @app.job(name="same")
    async def other(job: JobContext) -> None:
        """Be the second."""

    with pytest.raises(InvalidRegistration, match="is named same too"):
        app.openapi()
