"""docker/secrets: moves secrets from .env into files."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from gateway.dev.pocketbase import ROOT
from gateway.dev.settings import read_settings
from gateway.settings import decode_hook_secret

_ENV = """\
# mine
POCKETBASE_SUPERUSER_PASSWORD=
STRIPE_SECRET_KEY=sk_test_mine
STRIPE_WEBHOOK_SECRETS=whsec_new,whsec_old
GATEWAY_FRONTEND_ORIGINS=https://app.example.com
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the script and a filled-in .env."""
    (tmp_path / "docker").mkdir()
    shutil.copy(ROOT / "docker" / "secrets", tmp_path / "docker" / "secrets")
    (tmp_path / ".env").write_text(_ENV)
    return tmp_path


def _run(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "docker" / "secrets"], capture_output=True, text=True, timeout=30, check=False
    )


def _read(checkout: Path, name: str) -> str:
    return (checkout / "secrets" / name).read_text()


def test_secrets_move_into_files(checkout: Path) -> None:
    """.env keeps everything else; the files are readable for containers, not for other users."""
    assert _run(checkout).returncode == 0
    text = (checkout / ".env").read_text()
    assert "sk_test_mine" not in text
    assert "whsec_new" not in text
    assert "# mine\n" in text
    assert "GATEWAY_FRONTEND_ORIGINS=https://app.example.com\n" in text
    assert "STRIPE_SECRET_KEY=secrets/stripe_secret_key\n" in text
    assert "COMPOSE_FILE=compose.yaml:docker/compose.secrets.yaml\n" in text
    assert _read(checkout, "stripe_secret_key") == "sk_test_mine"
    assert _read(checkout, "stripe_webhook_secrets") == "whsec_new,whsec_old"
    assert stat.S_IMODE((checkout / "secrets").stat().st_mode) == 0o700
    modes = {stat.S_IMODE(file.stat().st_mode) for file in (checkout / "secrets").iterdir()}
    assert modes == {0o444}
    assert stat.S_IMODE((checkout / ".env").stat().st_mode) & 0o077 == 0


def test_missing_secrets_are_generated(checkout: Path) -> None:
    """The superuser's password and the hook secret are random and valid."""
    assert _run(checkout).returncode == 0
    assert len(_read(checkout, "pocketbase_superuser_password")) >= 32
    decode_hook_secret(_read(checkout, "gateway_hook_secrets"))


def test_the_profile_postgres_gets_an_address(checkout: Path) -> None:
    """Its password is generated; without the profile the file is empty, and no database is used."""
    assert _run(checkout).returncode == 0
    assert _read(checkout, "gateway_database_url") == ""
    assert "GATEWAY_DATABASE_URL" not in (checkout / ".env").read_text()
    with (checkout / ".env").open("a") as env:
        env.write("COMPOSE_PROFILES=metrics,postgres\n")
    for _ in range(2):
        assert _run(checkout).returncode == 0
        password = _read(checkout, "postgres_password")
        assert len(password) >= 32
        expected = f"postgresql://gateway:{password}@postgres/gateway"
        assert _read(checkout, "gateway_database_url") == expected


def test_an_optional_secret_can_be_taken_back(checkout: Path) -> None:
    """Without its line in .env the file is empty."""
    env = checkout / ".env"
    env.write_text(env.read_text() + "GATEWAY_SMTP_URL=smtps://me:secret@mail.example.com\n")
    assert _run(checkout).returncode == 0
    assert _read(checkout, "gateway_smtp_url") == "smtps://me:secret@mail.example.com"
    env.write_text(env.read_text().replace("GATEWAY_SMTP_URL=secrets/gateway_smtp_url\n", ""))
    assert _run(checkout).returncode == 0
    assert _read(checkout, "gateway_smtp_url") == ""


def test_a_secret_that_only_you_know_is_named(checkout: Path) -> None:
    """Stripe's keys can't be generated."""
    env = checkout / ".env"
    env.write_text(env.read_text().replace("sk_test_mine", ""))
    done = _run(checkout)
    assert done.returncode == 1
    assert done.stderr == "STRIPE_SECRET_KEY is not set in .env.\n"


def test_it_can_be_repeated(checkout: Path) -> None:
    """Files stay as they are; a new value in .env replaces its file."""
    _run(checkout)
    password = _read(checkout, "pocketbase_superuser_password")
    env = checkout / ".env"
    former = env.read_text()
    assert _run(checkout).returncode == 0
    assert env.read_text() == former
    env.write_text(former.replace("secrets/stripe_secret_key", "sk_test_next"))
    assert _run(checkout).returncode == 0
    assert _read(checkout, "stripe_secret_key") == "sk_test_next"
    assert _read(checkout, "pocketbase_superuser_password") == password


def test_quotes_are_not_part_of_a_secret(checkout: Path) -> None:
    """`.env` may quote a value; `make run` reads the moved one from its file."""
    env = checkout / ".env"
    env.write_text(env.read_text().replace("sk_test_mine", "'sk_test_quoted'"))
    assert _run(checkout).returncode == 0
    assert _read(checkout, "stripe_secret_key") == "sk_test_quoted"
    assert read_settings(env)["STRIPE_SECRET_KEY"] == "sk_test_quoted"
