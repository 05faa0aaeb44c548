"""Which app is served: the one of GATEWAY_APP, or a file with a usual name."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

_APP = "from gateway import Gateway\napp = Gateway(title={title!r})\n"


def _title(folder: Path, app: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "openapi"],
        env={"PATH": "/usr/bin:/bin", "GATEWAY_APP": app},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        return done.stderr
    return str(json.loads(done.stdout)["info"]["title"])


def _write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_APP.format(title=name))


@pytest.mark.parametrize(
    "name", ["main.py", "app.py", "api.py", "app/main.py", "app/app.py", "app/api.py"]
)
def test_a_usual_name_is_found(name: str, tmp_path: Path) -> None:
    """As FastAPI's own command finds it; importing it needs no environment."""
    _write(tmp_path, name)
    assert _title(tmp_path) == name


def test_the_first_is_taken(tmp_path: Path) -> None:
    """Of several, in the order of FastAPI's command."""
    _write(tmp_path, "app.py", "main.py", "app/main.py")
    assert _title(tmp_path) == "main.py"


def test_a_package_imports_its_own_modules(tmp_path: Path) -> None:
    """`app/` with an `__init__.py` is a package: relative imports work."""
    _write(tmp_path, "app/main.py")
    (tmp_path / "app" / "__init__.py").touch()
    (tmp_path / "app" / "names.py").write_text("TITLE = 'relative'\n")
    (tmp_path / "app" / "main.py").write_text(
        "from gateway import Gateway\nfrom .names import TITLE\napp = Gateway(title=TITLE)\n"
    )
    assert _title(tmp_path) == "relative"


def test_the_setting_names_another(tmp_path: Path) -> None:
    """Module and variable; the variable is `app` if none is named."""
    _write(tmp_path, "main.py", "shop/web.py")
    (tmp_path / "shop" / "web.py").write_text(
        _APP.format(title="web") + "other = Gateway(title='other')\n"
    )
    assert _title(tmp_path, "shop.web:other") == "other"
    assert _title(tmp_path, "shop.web") == "web"


def test_without_an_app_the_gateway_is_served(tmp_path: Path) -> None:
    """An empty folder is no mistake."""
    assert _title(tmp_path) == "PocketBase gateway"


@pytest.mark.parametrize(
    ("code", "app", "said"),
    [
        ("app = 5", "", "main.py: the variable app is of type int"),
        ("import nothing_like_this", "", "main.py can't be imported: ModuleNotFoundError"),
        (
            "\n\n1 / 0",
            "",
            "main.py can't be imported: ZeroDivisionError: division by zero (main.py, ",
        ),
        ("", "main:nothing", "GATEWAY_APP=main:nothing: the variable nothing does not exist"),
        ("", "no/module.py", "GATEWAY_APP is 'no/module.py', but must be like shop.app:app."),
    ],
)
def test_an_app_that_is_not_one_is_refused(code: str, app: str, said: str, tmp_path: Path) -> None:
    """A gateway without the team's app would leave its transforms and handlers out."""
    (tmp_path / "main.py").write_text(code)
    sentence = _title(tmp_path, app)
    assert sentence.startswith(said)
    assert "Traceback" not in sentence
