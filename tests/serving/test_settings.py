"""Wrong, missing and misspelt settings end the start with one sentence each."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.dev.pocketbase import ROOT
from gateway.settings import (
    PocketBaseSettings,
    Settings,
    SettingsError,
    StripeSettings,
    read_settings,
    read_settings_of,
)

_NEEDED = {
    "POCKETBASE_SUPERUSER_EMAIL": "me@example.com",
    "POCKETBASE_SUPERUSER_PASSWORD": "a-password-of-mine",
    "STRIPE_SECRET_KEY": "sk_test_mine",
    "STRIPE_WEBHOOK_SECRETS": "whsec_mine",
    "GATEWAY_FRONTEND_ORIGINS": "https://app.example.com",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly the settings that are needed."""
    for name in list(os.environ):
        if name.startswith(("POCKETBASE_", "STRIPE_", "GATEWAY_")):
            monkeypatch.delenv(name)
    for name, text in _NEEDED.items():
        monkeypatch.setenv(name, text)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("STRIPE_SECRET_KEY", "pk_live_abc", ("publishable", "sk_", "rk_")),
        ("STRIPE_SECRET_KEY", "whsec_abc", ("sk_", "rk_")),
        ("STRIPE_SECRET_KEY", "abc", ("sk_", "rk_")),
        ("STRIPE_WEBHOOK_SECRETS", "abc", ("whsec_",)),
        ("STRIPE_WEBHOOK_SECRETS", "whsec_abc,sk_live_abc", ("whsec_",)),
        ("STRIPE_WEBHOOK_SECRETS", "we_1abc", ("whsec_",)),
        ("STRIPE_WEBHOOK_SECRETS", "whsec_", ("whole",)),
        ("STRIPE_WEBHOOK_SECRETS", "whsec_a b", ("space",)),
        ("STRIPE_SECRET_KEY", "sk_", ("whole",)),
        ("STRIPE_SECRET_KEY", "rk_live_", ("whole",)),
        ("STRIPE_SECRET_KEY", "sk_test_abc ", ("space",)),
        ("STRIPE_SECRET_KEY", "sk_test_abc\nx", ("line break",)),
        ("STRIPE_SECRET_KEY", "sk_test_äbc", ("character",)),
        ("GATEWAY_STRIPE_ACCOUNT", "cus_abc", ("acct_",)),
        ("GATEWAY_PUBLIC_URL", "http://localhost:99999", ("port",)),
        ("POCKETBASE_URL", "http://:8090", ("host",)),
    ],
)
def test_a_wrong_stripe_secret_is_named(
    name: str, value: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence names the variable and the right form, and never the value."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as wrong:
        read_settings()
    sentence = str(wrong.value)
    assert sentence.startswith(f"{name} is wrong: ")
    assert all(word in sentence for word in words)
    assert value not in sentence.replace(f"after {value}:", "")


@pytest.mark.parametrize("key", ["sk_test_a", "sk_live_a", "rk_test_a", "rk_live_a", "sk_org_a"])
def test_every_secret_key_of_stripe_is_taken(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secret, restricted and organization keys, in test and live mode."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", key)
    assert read_settings().stripe_secret_key.get_secret_value() == key


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("GATEWAY_GEUST_CHECKOUT", "GATEWAY_GUEST_CHECKOUT"),
        ("gateway_log_levle", "GATEWAY_LOG_LEVEL"),
        ("GATEWAY_GRACE_DAY", "GATEWAY_GRACE_DAYS"),
        ("POCKETBASE_ULR", "POCKETBASE_URL"),
        ("STRIPE_API_BASES", "STRIPE_API_BASE"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_right_one(
    wrong: str, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing falls back to a default because of a typing error."""
    monkeypatch.setenv(wrong, "true")
    with pytest.raises(SettingsError, match=f"{wrong.upper()} is not a setting.*{right}"):
        read_settings()


def test_an_unknown_variable_without_a_near_name_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sentence says where all settings are listed."""
    monkeypatch.setenv("GATEWAY_XYZZY", "1")
    with pytest.raises(SettingsError, match=r"GATEWAY_XYZZY is not a setting: \.env\.example"):
        read_settings()


def test_a_singular_secret_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """STRIPE_WEBHOOK_SECRET is what other software calls it."""
    monkeypatch.delenv("STRIPE_WEBHOOK_SECRETS")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_abc")
    with pytest.raises(SettingsError, match="did you mean STRIPE_WEBHOOK_SECRETS"):
        read_settings()


@pytest.mark.parametrize(
    "name",
    [
        "GATEWAY_GRACE_DAYS",
        "GATEWAY_ON_REFUND",
        "GATEWAY_PORT",
        "GATEWAY_PORT_8000_TCP_ADDR",
        "GATEWAY_SERVICE_HOST",
        "STRIPE_API_KEY",
        "STRIPE_WEBHOOK_SECRET",
        "POCKETBASE_PORT",
    ],
)
def test_variables_of_others_are_left_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that PocketBase's hooks, an orchestrator or another program reads."""
    monkeypatch.setenv(name, "1")
    read_settings()


def test_an_empty_misspelt_variable_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """compose.yaml passes variables on that are not set as empty ones."""
    monkeypatch.setenv("GATEWAY_OLD_SETTING", "")
    read_settings()


def test_a_misspelt_file_of_secrets_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret that comes as a file is a setting like any other."""
    (tmp_path / "gateway_hook_secret").write_text("whsec_abc")
    monkeypatch.setattr("gateway.settings._SECRETS_DIR", tmp_path)
    with pytest.raises(SettingsError, match="did you mean GATEWAY_HOOK_SECRETS"):
        read_settings()


_UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "folder of compose": (Path.mkdir, "is a folder, which compose creates"),
    "not text": (lambda file: file.write_bytes(b"sk_\xff\x00"), "is not text"),
    # Like a closed file, which the superuser of a test run could read.
    "not to be opened": (lambda file: file.symlink_to(file), "needs a file with the mode 0444"),
}


@pytest.mark.parametrize(("spoil", "words"), _UNREADABLE.values(), ids=_UNREADABLE.keys())
def test_a_secret_file_that_can_not_be_read_is_named(
    spoil: Callable[[Path], object], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence names the variable, the file and the reason; there is no traceback."""
    spoil(tmp_path / "stripe_secret_key")
    monkeypatch.setattr("gateway.settings._SECRETS_DIR", tmp_path)
    with pytest.raises(SettingsError, match="STRIPE_SECRET_KEY can't be read") as wrong:
        read_settings()
    assert words in str(wrong.value)
    assert "sk_" not in str(wrong.value)


def test_every_problem_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One start names all that must be corrected."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", "pk_live_abc")
    monkeypatch.setenv("GATEWAY_GEUST_CHECKOUT", "true")
    monkeypatch.delenv("GATEWAY_FRONTEND_ORIGINS")
    with pytest.raises(SettingsError) as wrong:
        read_settings()
    for name in ("STRIPE_SECRET_KEY", "GATEWAY_GEUST_CHECKOUT", "GATEWAY_FRONTEND_ORIGINS"):
        assert name in str(wrong.value)


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        (PocketBaseSettings, ("POCKETBASE_SUPERUSER_EMAIL", "POCKETBASE_SUPERUSER_PASSWORD")),
        (StripeSettings, ("STRIPE_SECRET_KEY",)),
        (Settings, ("STRIPE_WEBHOOK_SECRETS", "GATEWAY_FRONTEND_ORIGINS")),
    ],
)
def test_a_command_asks_only_for_what_it_needs(
    kind: type[PocketBaseSettings], needed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each class names its own settings when they are missing, and no other's."""
    for name in _NEEDED:
        monkeypatch.delenv(name)
    with pytest.raises(SettingsError) as wrong:
        read_settings_of(kind)
    assert all(name in str(wrong.value) for name in needed)
    assert ("STRIPE" in str(wrong.value)) == (kind is not PocketBaseSettings)


@pytest.mark.parametrize(
    ("name", "value"), [("STRIPE_SECRET_KEY", "pk_live_abc"), ("GATEWAY_GEUST_CHECKOUT", "true")]
)
def test_serve_ends_with_the_sentence(name: str, value: str) -> None:
    """`gateway serve` exits with code 1, without a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "serve", "--port=0"],
        env={"PATH": os.environ["PATH"], **_NEEDED, name: value},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert name in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_container_waits_with_the_sentence() -> None:
    """With --hold the process stays until SIGTERM, because Docker would restart it for ever."""
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", "serve", "--port=0", "--hold"],
        env={"PATH": os.environ["PATH"], **_NEEDED, "STRIPE_SECRET_KEY": "pk_live_abc"},
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "STRIPE_SECRET_KEY" in process.stderr.readline()
        assert "docker compose up -d" in process.stderr.readline()
        assert process.poll() is None
        process.terminate()
        assert process.wait(10) == 1
