"""The names of `from gateway import …` are documented, typed, quick, and open to overrides."""

import inspect
import subprocess
import sys
from importlib.resources import files
from typing import Any, get_origin

import pytest
from fastapi.testclient import TestClient

import gateway
from gateway import Gateway, PocketBase, get_pocketbase
from gateway.dev.stack import Stack
from gateway.settings import Settings


@pytest.mark.parametrize("name", gateway.__all__)
def test_a_public_name_is_there_and_described(name: str) -> None:
    """A class or function by its docstring, a dependency by the function behind it."""
    found: Any = getattr(gateway, name)
    if name == "__version__":
        return
    if get_origin(found) is not None and hasattr(found, "__metadata__"):
        found = found.__metadata__[0].dependency
    if inspect.isclass(found) or inspect.isfunction(found):
        assert len(inspect.getdoc(found) or "") > 20
        assert found.__doc__


@pytest.mark.parametrize("kind", ["Gateway", "Router"])
def test_a_decorator_names_its_arguments_and_errors(kind: str) -> None:
    """Their docstrings are the reference."""
    for name in ("transform", "mirror", "on", "command"):
        text = inspect.getdoc(getattr(getattr(gateway, kind), name)) or ""
        assert "Args:" in text


def test_every_name_is_listed() -> None:
    """`dir` and `__all__` agree; another name is an AttributeError."""
    assert sorted(gateway.__all__) == gateway.__all__ or set(dir(gateway)) == set(gateway.__all__)
    with pytest.raises(AttributeError):
        gateway.nothing_like_this  # noqa: B018


def test_importing_the_package_loads_no_framework() -> None:
    """A name is loaded when it is used."""
    code = (
        "import sys, gateway; print(*sorted({'fastapi', 'stripe', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == ""


def test_once_needs_no_psycopg() -> None:
    """The extra `[postgres]` is not needed to import its names."""
    code = "import sys; sys.modules['psycopg'] = None; from gateway import AlreadyDone, once"
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)


def test_the_package_is_typed() -> None:
    """By PEP 561's marker."""
    assert (files("gateway") / "py.typed").is_file()


def test_a_dependency_can_be_overridden(stack: Stack) -> None:
    """As in every FastAPI application, in this process."""
    env = {name.lower(): text for name, text in stack.gateway.env.items()}
    fields = {name: env[name] for name in Settings.model_fields if name in env}
    app = Gateway(settings=Settings(**(fields | {"gateway_hook_secrets": ""})))

    @app.get("/name")
    async def read_name(pb: PocketBase) -> str:
        return str(pb)

    app.dependency_overrides[get_pocketbase] = lambda: "a stand-in"
    with TestClient(app) as client:
        assert client.get("/name").json() == "a stand-in"
        assert client.get("/health").json() == {"status": "ok"}


def test_a_gateway_that_was_not_started_says_so(stack: Stack) -> None:
    """Instead of an attribute that is missing somewhere."""
    env = {name.lower(): text for name, text in stack.gateway.env.items()}
    fields = {name: env[name] for name in Settings.model_fields if name in env}
    app = Gateway(settings=Settings(**fields))
    with pytest.raises(RuntimeError, match="has not started"):
        app.services  # noqa: B018
